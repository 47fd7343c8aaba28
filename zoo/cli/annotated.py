"""The folder of `--save`: one annotated image per input, under the names and folders of the
originals."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from zoo.errors import ImageError
from zoo.files import NAME_BYTES, shortened, unwritable
from zoo.images.read import is_url

# Images of other formats are saved as PNG.
KEPT_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


class Annotated:
    """A folder of annotated images, created when the first is saved.

    It repeats the folders of the originals below their nearest common one. Images that would have
    the same path get a number, and names too long for the file system are cut.

    sources: all images that may be saved, as the user named them.

    Raises: ImageError if the folder can't be created or written.
    """

    def __init__(self, folder: Path, sources: Iterable[object] = ()) -> None:
        self.folder = folder
        self._taken: set[Path] = set()
        self._root = _common_folder(sources)
        if reason := unwritable(folder):
            raise self._error(reason)

    def _error(self, case: str) -> ImageError:
        return ImageError(
            f"Annotated images can't be saved in '{self.folder}'.",
            f"{case}.",
            "Name a folder that can be made and written.",
            file=str(self.folder),
        )

    def path_for(self, source: str) -> Path:
        """The path for the annotated image of `source`; creates its folder."""
        folder = self.folder / _below(self._root, source)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._error(f"It can't be made: {error.strerror}") from error
        original = Path(source.split("?")[0].rstrip("/")) if is_url(source) else Path(source)
        suffix = original.suffix.lower() if original.suffix.lower() in KEPT_SUFFIXES else ".png"
        path, number = _path_in(folder, original.stem, suffix), 1
        while path in self._taken:
            number += 1
            path = _path_in(folder, original.stem, f"-{number}{suffix}")
        self._taken.add(path)
        return path


def replaced_in(folder: Path, sources: Sequence[object]) -> list[str]:
    """The images in folders that annotated images would be saved in, sorted."""
    root = _common_folder(sources)
    files = [source for source in sources if isinstance(source, str)]
    destinations = {(folder / _below(root, file)).resolve() for file in files}
    return sorted(
        file for file in files if not is_url(file) and _folder(file).resolve() in destinations
    )


def _below(root: Path | None, source: str) -> Path:
    """The folders between `root` and the image."""
    if is_url(source) or root is None:
        return Path()
    folder = _folder(source)
    return folder.relative_to(root) if folder.is_relative_to(root) else Path()


def _common_folder(sources: Iterable[object]) -> Path | None:
    """The nearest folder that contains all the files, or None if there is none."""
    folders = {
        _folder(source) for source in sources if isinstance(source, str) and not is_url(source)
    }
    try:
        return Path(os.path.commonpath(folders)) if folders else None
    except ValueError:  # on different drives of Windows
        return None


def _folder(source: str) -> Path:
    # `..` is resolved, or it would lead out of the folder of annotated images
    return Path(os.path.abspath(source)).parent


def _path_in(folder: Path, stem: str, tail: str) -> Path:
    return folder / (shortened(stem, NAME_BYTES - len(os.fsencode(tail))) + tail)
