"""A data set: its images as files, and the ground truth about them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoo.data.ground_truth import GroundTruth
from zoo.errors import DataError
from zoo.labels import LabelSpace
from zoo.paths import is_inside
from zoo.text import pluralize


@dataclass(frozen=True)
class ImageRecord:
    """One image of a data set.

    width, height: in pixels as annotated, None where the annotations do not say.
    root: the folder that it has to be in, where its path comes from a file of somebody's; None for
        any.
    """

    id: int | str
    path: Path
    width: int | None = None
    height: int | None = None
    root: Path | None = field(default=None, repr=False, compare=False)

    def file(self) -> Path:
        """Its path, to be opened. Raises: DataError where it leads out of its folder once links are
        followed."""
        if self.root is None:
            return self.path
        try:
            real = self.path.resolve()
            inside = (
                real.is_relative_to(self.root.resolve()) and not real.is_symlink()
            )  # a loop stays one
            case = f"Its path leads out of its folder, to {str(self.path)!r:.300}."
        except (OSError, RuntimeError, ValueError) as error:  # links that lead round; a null byte
            inside, case = (
                False,
                f"Its path {str(self.path)!r:.300} can't be followed: {error!s:.300}.",
            )
        if not inside:
            fix = "Correct `file_name`, or say which folder holds the images: images=FOLDER"
            raise DataError(f"Image {self.id!r} was to be opened.", case, fix)
        return self.path


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images and what is really in them.

    name:   what tables and reports call it.
    images: one a row of `truth.image_ids`, in that order.
    truth:  the annotated boxes.
    notes:  what a reader of its numbers should know of how it was read, a sentence each.
    """

    name: str
    images: Sequence[ImageRecord]
    truth: GroundTruth
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        ids = getattr(
            self.images, "ids", None
        )  # images that were read from a file are made one by one
        if (
            ids is not self.truth.image_ids
            and [one.id for one in self.images] != self.truth.image_ids.tolist()
        ):
            raise ValueError(
                "Dataset: `images` has one ImageRecord for each of `truth.image_ids`, in that order"
            )

    def __len__(self) -> int:
        return len(self.images)

    def __repr__(self) -> str:
        sizes = (
            pluralize(len(self), "image"),
            pluralize(len(self.truth.labels), "box", "boxes"),
            pluralize(len(self.label_space), "class", "classes"),
        )
        return f"Dataset({self.name}: {', '.join(sizes)})"

    @property
    def label_space(self) -> LabelSpace:
        """The label space of the ground truth; its ids are the data set's category ids."""
        return self.truth.label_space

    @cached_property
    def sizes(self) -> NDArray[np.float64]:
        """(m, 2) width and height of each image as annotated, NaN where the annotations do not
        say."""
        declared = getattr(self.images, "sizes", None)
        if declared is None:
            declared = [(record.width or 0, record.height or 0) for record in self.images]
        sizes = np.array(declared, np.float64).reshape(-1, 2)
        return np.where(sizes > 0, sizes, np.nan)

    @property
    def files(self) -> Sequence[str]:
        """(m,) the file name of each image."""
        named = getattr(self.images, "files", None)  # without a path for each of them
        if named is None:
            return [record.path.name for record in self.images]
        return [name.replace("\\", "/").rpartition("/")[2] for name in named]

    @property
    def sha256(self) -> str:
        """A fingerprint of the annotations, as 64 hex digits: of everything in them that can move a
        number."""
        return self.truth.sha256

    @property
    def images_sha256(self) -> str:
        """A fingerprint of the images, as 64 hex digits: of their ids, file names and contents.

        It does not depend on the folder they are in. Files are hashed once and known by their
        stamp after that; see `zoo.data.content`.
        Raises: DataError naming an image that is not there or can't be read.
        """
        digest = hashlib.sha256()
        for record, content in zip(self.images, self._contents(), strict=True):
            digest.update(repr((record.id, record.path.name, content)).encode())
        return digest.hexdigest()

    def _files(self) -> list[Path]:
        """The path of each image as `ImageRecord.file` gives it; folders are followed once, and
        each file only where it is a link."""
        inside: dict[tuple[Path, Path], bool] = {}
        files = []
        for record in self.images:
            if record.root is not None:
                key = record.root, record.path.parent
                if key not in inside:
                    inside[key] = is_inside(record.path.parent, record.root)
                if not inside[key] or record.path.is_symlink() or "\0" in record.path.name:
                    record.file()
            files.append(record.path)
        return files

    def _contents(self) -> list[str]:
        """The SHA-256 of each image file."""
        from zoo.data.content import (
            hashes,
        )  # deferred: it brings the cache, which annotations alone do not need

        try:
            return hashes(self._files())
        except OSError as error:
            path = str(error.filename or "")
            same = (record for record in self.images if os.path.abspath(record.path) == path)
            record = next(same, self.images[0])
            missing = isinstance(error, FileNotFoundError)
            case = f"is not at {record.path}" if missing else f"can't be read from {record.path}"
            raise DataError(
                f"The images of {self.name} were needed.",
                f"Image {record.id!r} {case}: {error.strerror}.",
                f"Say which folder holds the images: data='coco:{self.truth.name},images=FOLDER'",
            ) from None
