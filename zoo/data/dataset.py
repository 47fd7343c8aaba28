"""A data set: its pictures as files, and the ground truth about them."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from zoo.data.content import hashes
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

    @property
    def pictures_sha256(self) -> str:
        """A fingerprint of the images, as 64 hex digits: of their ids, file names and contents.

        It does not depend on the folder they are in. Files are hashed once and known by their
        stamp after that; see `zoo.data.content`.
        Raises: DataError naming an image that is not there or can't be read.
        """
        digest = hashlib.sha256()
        for photo, content in zip(self.images, self._contents(), strict=True):
            digest.update(repr((photo.id, photo.path.name, content)).encode())
        return digest.hexdigest()

    def _contents(self) -> list[str]:
        """The SHA-256 of each image file."""
        try:
            return hashes([photo.path for photo in self.images])
        except OSError as error:
            path = str(error.filename or "")
            same = (photo for photo in self.images if os.path.abspath(photo.path) == path)
            photo = next(same, self.images[0])
            missing = isinstance(error, FileNotFoundError)
            case = f"is not at {photo.path}" if missing else f"can't be read from {photo.path}"
            raise DataError(
                f"The images of {self.name} were needed.",
                f"Image {photo.id!r} {case}: {error.strerror}.",
                f"Say which folder holds the images: data='coco:{self.truth.name},images=FOLDER'",
            ) from None
