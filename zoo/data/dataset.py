"""A data set: its pictures as files, and the ground truth about them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from zoo.data.ground_truth import GroundTruth
from zoo.errors import DataError
from zoo.labels import LabelSpace
from zoo.words import counted


@dataclass(frozen=True)
class Photo:
    """One picture of a data set. width, height: in pixels as annotated, None where the annotations do not say."""

    id: int | str
    path: Path
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, eq=False)
class Dataset:
    """Pictures and what is really in them.

    name:   what tables and reports call it.
    images: one a row of `truth.image_ids`, in that order.
    truth:  the annotated boxes.
    """

    name: str
    images: tuple[Photo, ...]
    truth: GroundTruth

    def __post_init__(self) -> None:
        if [photo.id for photo in self.images] != self.truth.image_ids.tolist():
            raise ValueError("Dataset: `images` has one Photo for each of `truth.image_ids`, in that order")

    def __len__(self) -> int:
        return len(self.images)

    def __repr__(self) -> str:
        sizes = (
            counted(len(self), "image"),
            counted(len(self.truth.labels), "box", "boxes"),
            counted(len(self.space), "class", "classes"),
        )
        return f"Dataset({self.name}: {', '.join(sizes)})"

    @property
    def space(self) -> LabelSpace:
        """The label space of the ground truth; its ids are the data set's category ids."""
        return self.truth.space

    @property
    def sha256(self) -> str:
        """A fingerprint of the annotations, as 64 hex digits: of everything in them that can move a number."""
        return self.truth.sha256

    @cached_property
    def pictures_sha256(self) -> str:
        """A fingerprint of the pictures, as 64 hex digits: their ids, file names and sizes in bytes, wherever they are.

        Raises: DataError naming a picture that is not there.
        """
        digest = hashlib.sha256()
        for photo in self.images:
            digest.update(repr((photo.id, photo.path.name, self._bytes(photo))).encode())
        return digest.hexdigest()

    def _bytes(self, photo: Photo) -> int:
        try:
            return photo.path.stat().st_size
        except OSError as why:
            raise DataError(
                f"The pictures of {self.name} were asked for.",
                f"Image {photo.id!r} is not at {photo.path}: {why.strerror}.",
                f"Say which folder holds the pictures: data='coco:{self.truth.name},images=FOLDER'",
            ) from None
