"""The folder of `--save`: an annotated image for each, under the names and folders of the
originals."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from zoo.errors import ImageError
from zoo.files import NAME_BYTES, shortened, unwritable
from zoo.images.read import is_url

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")  # kept; others become the last but one


class Annotated:
    """A folder of annotated images, which is made for the first of them.

    Images of several folders lie in such folders below it, from the nearest one that has all of
    them; two of one name get a number, and names too long for a file system are cut.

    sources: the images that may come, as they are given.

    Raises: ImageError, on entering as well, for a place where the folder can't be.
    """

    def __init__(self, folder: Path, sources: Iterable[object] = ()) -> None:
        self.folder = folder
        self._taken: set[Path] = set()
        self._root = _common_folder(sources)
        if reason := unwritable(folder):
            raise self._refused(reason)

    def _refused(self, case: str) -> ImageError:
        asked = f"Annotated images can't be saved in '{self.folder}'."
        return ImageError(
            asked, f"{case}.", "Name a folder that can be made and written.", file=str(self.folder)
        )

    def path_for(self, source: str) -> Path:
        """Where the annotated image of `source` goes; its folder is there."""
        folder = self.folder / _below(self._root, source)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._refused(f"It can't be made: {error.strerror}") from error
        original = Path(source.split("?")[0].rstrip("/")) if is_url(source) else Path(source)
        suffix = original.suffix.lower() if original.suffix.lower() in SUFFIXES else ".png"
        path, number = _named(folder, original.stem, suffix), 1
        while path in self._taken:
            number += 1
            path = _named(folder, original.stem, f"-{number}{suffix}")
        self._taken.add(path)
        return path


def replaced_in(folder: Path, sources: Sequence[object]) -> list[str]:
    """Those of the images that lie in a folder where annotated images are to be, in order."""
    root = _common_folder(sources)
    files = [source for source in sources if isinstance(source, str)]
    places = {(folder / _below(root, file)).resolve() for file in files}
    return sorted(file for file in files if not is_url(file) and _folder(file).resolve() in places)


def _below(root: Path | None, source: str) -> Path:
    """The folders between the common one and the image."""
    if is_url(source) or root is None:
        return Path()
    folder = _folder(source)
    return folder.relative_to(root) if folder.is_relative_to(root) else Path()


def _common_folder(sources: Iterable[object]) -> Path | None:
    """The nearest folder that has all the files, or None where there is none."""
    folders = {
        _folder(source) for source in sources if isinstance(source, str) and not is_url(source)
    }
    try:
        return Path(os.path.commonpath(folders)) if folders else None
    except ValueError:  # on several drives of Windows
        return None


def _folder(source: str) -> Path:
    return Path(
        os.path.abspath(source)
    ).parent  # `..` is taken out, or it would lead out of the folder


def _named(folder: Path, stem: str, tail: str) -> Path:
    return folder / (shortened(stem, NAME_BYTES - len(os.fsencode(tail))) + tail)
