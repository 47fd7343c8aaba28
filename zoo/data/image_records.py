"""The images of a data set that was read from a file: each becomes an `ImageRecord` when somebody
looks at it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from zoo.data.dataset import ImageRecord


@dataclass(frozen=True, eq=False)
class ImageRecords(Sequence[ImageRecord]):
    """Images as columns.

    ids:    (m,) int64 or str. files: their names in `folder`.
    sizes:  (m, 2) width and height in pixels, 0 where the annotations do not say.
    beside: the annotations; without a `folder` the images are looked for around them, when the
        first is looked at.
    """

    ids: NDArray[Any]
    files: Sequence[str]
    sizes: NDArray[np.int64]
    beside: Path
    folder: Path | None = None

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, at: int) -> ImageRecord: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[ImageRecord, ...]: ...
    def __getitem__(self, at: int | slice) -> ImageRecord | tuple[ImageRecord, ...]:
        if isinstance(at, slice):
            return tuple(self[row] for row in range(*at.indices(len(self))))
        width, height = self.sizes[at].tolist()
        path = self._path(self.files[at])
        return ImageRecord(self.ids[at].item(), path, width or None, height or None, root=self.root)

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
        near = _near(self.beside.absolute().parent)
        return next((folder for folder in near if _is_file(folder, first)), self.beside.parent)


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
            yield from sorted(one for one in folder.iterdir() if one.is_dir())
        except OSError:  # a folder that can't be listed holds nothing for us
            continue
