"""Images of a data set: one record per image, made from columns when it is looked at."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from zoo.data.offsets import starts_of
from zoo.errors import DataError


@dataclass(frozen=True)
class ImageRecord:
    """One image of a data set.

    path:   its file; of an image in memory, the name it goes by.
    width, height: in pixels as annotated, None where the annotations do not say.
    root:   the folder that it has to be in if the path comes from an untrusted file; None for any.
    content: the encoded image (JPEG, PNG, …) if it is in no file of its own; or a function that
        gives it, always the same bytes, for images that are made when they are looked at.
    """

    id: int | str
    path: Path
    width: int | None = None
    height: int | None = None
    root: Path | None = field(default=None, repr=False, compare=False)
    content: bytes | Callable[[], bytes] | None = field(default=None, repr=False)

    def source(self) -> Path | bytes:
        """The image as `zoo.images.read` and `detect` take it. Raises: as `file`."""
        if self.content is None:
            return self.file()
        return self.content() if callable(self.content) else self.content

    def file(self) -> Path:
        """Its path, to be opened.

        Raises: DataError where it leads out of its folder once links are followed, or the image is
            in no file.
        """
        failure = f"Image {self.id!r} can't be opened."
        if self.content is not None:
            raise DataError(failure, "It is in memory.", "Read it with `ImageRecord.source`.")
        if self.root is None:
            return self.path
        try:
            real = self.path.resolve()
            # a link that leads to itself stays one
            inside = real.is_relative_to(self.root.resolve()) and not real.is_symlink()
            case = f"Its path leads out of its folder, to {str(self.path)!r:.300}."
        except (OSError, RuntimeError, ValueError) as error:  # links that lead round; a null byte
            inside = False
            case = f"Its path {str(self.path)!r:.300} can't be followed: {error!s:.300}."
        if not inside:
            fix = "Correct `file_name`, or say which folder holds the images: images=FOLDER"
            raise DataError(failure, case, fix)
        return self.path


class ImageRecords(Sequence[ImageRecord]):
    """Images as columns; `record` makes one when it is looked at.

    ids:   (m,) int64 or str.
    files: (m,) names of their files, which may have folders in them.
    sizes: (m, 2) width and height in pixels, 0 where the annotations do not say.
    """

    ids: NDArray[Any]
    files: Sequence[str]
    sizes: NDArray[np.int64]

    def record(self, row: int) -> ImageRecord:
        """One image, by its position from 0."""
        raise NotImplementedError

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, at: int) -> ImageRecord: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[ImageRecord, ...]: ...
    def __getitem__(self, at: int | slice) -> ImageRecord | tuple[ImageRecord, ...]:
        if isinstance(at, slice):
            return tuple(map(self.record, range(*at.indices(len(self)))))
        return self.record(range(len(self))[at])


@dataclass(frozen=True, eq=False)
class FolderRecords(ImageRecords):
    """Images in one folder, and those below it.

    ids:    (m,) int64 or str. files: their names in `folder`.
    sizes:  (m, 2) width and height in pixels, 0 where the annotations do not say.
    annotations: the annotations; without a `folder` the images are looked for around them, when the
        first is looked at.
    """

    ids: NDArray[Any]
    files: Sequence[str]
    sizes: NDArray[np.int64]
    annotations: Path
    folder: Path | None = None

    def record(self, row: int) -> ImageRecord:
        width, height = self.sizes[row].tolist()
        path = self._path(self.files[row])
        return ImageRecord(
            self.ids[row].item(), path, width or None, height or None, root=self.root
        )

    def _path(self, file: str) -> Path:
        """A backslash is part of a name where there is such a file, and else divides folders, as
        Windows programs write it."""
        path = self.root / file
        if "\\" not in file or "\0" in file or os.path.lexists(path):
            return path
        return self.root / file.replace("\\", "/")

    @cached_property
    def root(self) -> Path:
        """The folder of the images."""
        if self.folder is not None:
            return self.folder
        first = self.files[0] if len(self) else ""
        near = _near(self.annotations.absolute().parent)
        return next((folder for folder in near if _is_file(folder, first)), self.annotations.parent)


@dataclass(frozen=True, eq=False)
class GatheredRecords(ImageRecords):
    """Images of one or several other sequences, in any order; made by `gather`.

    parts: the sequences. rows: (m,) positions in them, counted through one part after another.
    """

    ids: NDArray[Any]
    files: Sequence[str]
    sizes: NDArray[np.int64]
    parts: Sequence[Sequence[ImageRecord]]
    rows: NDArray[np.int64]

    def record(self, row: int) -> ImageRecord:
        at = int(self.rows[row])
        part = int(np.searchsorted(self._starts, at, side="right")) - 1
        record = self.parts[part][at - int(self._starts[part])]
        return replace(record, id=self.ids[row].item())

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        return starts_of(np.array([len(part) for part in self.parts], np.int64))


def gather(
    parts: Sequence[Sequence[ImageRecord]], rows: NDArray[np.int64], ids: NDArray[Any]
) -> GatheredRecords:
    """Images of other sequences under these ids. rows: as in `GatheredRecords`."""
    files = [name for part in parts for name in files_of(part)]
    sizes = np.concatenate([sizes_of(part) for part in parts])
    return GatheredRecords(ids, [files[row] for row in rows.tolist()], sizes[rows], parts, rows)


def files_of(images: Sequence[ImageRecord]) -> Sequence[str]:
    """(m,) the name of each image's file, as its annotations have it where they are columns."""
    if isinstance(images, ImageRecords):
        return images.files  # without a path for each of them
    return [record.path.name for record in images]


def sizes_of(images: Sequence[ImageRecord]) -> NDArray[np.int64]:
    """(m, 2) width and height as annotated, 0 where the annotations do not say."""
    if isinstance(images, ImageRecords):
        return images.sizes
    sizes = [(record.width or 0, record.height or 0) for record in images]
    return np.array(sizes, np.int64).reshape(-1, 2)


def _is_file(folder: Path, file: str) -> bool:
    return (
        bool(file)
        and "\0" not in file
        and any(os.path.isfile(folder / name) for name in (file, file.replace("\\", "/")))
    )


def _near(parent: Path) -> Iterator[Path]:
    """The folder of the annotations, those in it, the one above it and those in that."""
    for folder in (parent, parent.parent):
        yield folder
        try:
            yield from sorted(place for place in folder.iterdir() if place.is_dir())
        except OSError:  # a folder that can't be listed holds nothing for us
            continue
