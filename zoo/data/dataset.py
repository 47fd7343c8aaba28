"""A data set: its images, the ground truth about them, and its named splits."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zoo.data.extras import Extras
from zoo.data.ground_truth import GroundTruth
from zoo.data.image_records import ImageRecord, ImageRecords, files_of, gather, sizes_of
from zoo.data.masks import Masks
from zoo.errors import DataError, NameNotFound
from zoo.labels import LabelSpace
from zoo.paths import is_inside
from zoo.suggest import close_matches, join_or
from zoo.text import pluralize

if TYPE_CHECKING:
    from torch import Tensor

    from zoo.contract import Target
    from zoo.images import Exif, Image


class Splits(dict[str, "Dataset"]):
    """The named splits of a data set: `splits["val"]` is a data set by itself."""

    def __missing__(self, name: str) -> Dataset:
        suggestions = close_matches(name, self) or list(self)
        raise NameNotFound(
            f"No split named '{name}'.",
            "The data set has no splits." if not self else f"It has {', '.join(self)}.",
            f"Did you mean {join_or(suggestions)}?" if suggestions else "Use the whole data set.",
        )


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images and what is really in them; can be pickled, and indexed by a torch `DataLoader`.

    `dataset[i]` is the image and the target of position `i`; `dataset.images` are the records.

    name:       what tables and reports call it.
    images:     one per row of `truth.image_ids`, in that order.
    truth:      the annotated boxes.
    notes:      what a reader of its numbers should know of how it was read, a sentence each.
    split_rows: name of a split -> its images, as rows of `truth.image_ids`; without splits, empty.
    masks:      of the objects, read when they are asked for; None if the format has none.
    extras:     what a COCO file says besides, likewise.
    """

    name: str
    images: Sequence[ImageRecord]
    truth: GroundTruth
    notes: tuple[str, ...] = ()
    split_rows: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    masks: Masks | None = field(default=None, repr=False)
    extras: Extras | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        ids = self.truth.image_ids
        if (
            not (isinstance(self.images, ImageRecords) and self.images.ids is ids)
            and [record.id for record in self.images] != ids.tolist()
        ):
            raise ValueError(
                "Dataset: `images` has one ImageRecord for each of `truth.image_ids`, in that order"
            )
        rows = {name: self._rows(members) for name, members in self.split_rows.items()}
        object.__setattr__(self, "split_rows", rows)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, position: int) -> tuple[Tensor, Target]:
        return self.image(position).pixels, self.target(position)

    def __iter__(self) -> Iterator[tuple[Tensor, Target]]:
        return map(self.__getitem__, range(len(self)))

    def __repr__(self) -> str:
        sizes = (
            pluralize(len(self), "image"),
            pluralize(len(self.truth.labels), "box", "boxes"),
            pluralize(len(self.label_space), "class", "classes"),
        )
        splits = f"; splits {', '.join(self.split_rows)}" if self.split_rows else ""
        return f"Dataset({self.name}: {', '.join(sizes)}{splits})"

    @property
    def label_space(self) -> LabelSpace:
        """The label space of the ground truth; its ids are the data set's category ids."""
        return self.truth.label_space

    def image(self, position: int, *, exif: Exif = "apply") -> Image:
        """The pixels of one image, as `zoo.images.read` reads them.

        Raises: DataError, ImageError naming the image if it can't be opened or read.
        """
        from zoo.images import read  # deferred: torch

        record = self.images[position]
        return read(record.source(), exif=exif, name=os.fspath(record.path))

    def target(self, position: int, *, mask_size: tuple[int, int] | None = None) -> Target:
        """The annotated objects of one image, as `loss` takes them: xyxy in original pixels.

        mask_size: height and width of the image, to have masks as well, where the data set has
            some; one that is not known has no pixel.
        """
        import torch  # deferred: reading and measuring annotations does without

        from zoo.contract import Target

        truth = self.truth
        rows = truth.rows(range(len(self))[position])
        masks = None
        if mask_size is not None and self.masks is not None:
            masks = torch.from_numpy(self.masks.of(truth.ids[rows], mask_size))
        return Target(
            boxes=torch.from_numpy(truth.boxes[rows].astype(np.float32)),
            labels=torch.from_numpy(truth.labels[rows].astype(np.int64)),
            crowd=torch.from_numpy(truth.crowd[rows].copy()),
            area=torch.from_numpy(truth.areas[rows].astype(np.float32)),
            ids=torch.from_numpy(truth.ids[rows].copy()),
            masks=masks,
        )

    @cached_property
    def splits(self) -> Splits:
        """The named splits, each a data set by itself: `dataset.splits["val"]`. Empty if none are
        declared; an unknown name raises NameNotFound."""
        return Splits(
            {
                name: self.subset(rows, name=f"{self.name}/{name}")
                for name, rows in self.split_rows.items()
            }
        )

    def split(
        self,
        *,
        group_by: str | None = None,
        stratify: bool = False,
        seed: int = 0,
        **shares: float,
    ) -> tuple[Dataset, ...]:
        """The data set in parts, in the order of their shares, which add up to 1:
        `train, val = data.split(train=.8, val=.2)`.

        Each image goes where a hash of the seed and its id says: those that are added later move
        none of the old ones. `zoo.data.splitting.split_rows` can do more.
        group_by: images of one group stay together: an attribute of images, "folder", or a regular
            expression whose first group is looked for in the file's name.
        stratify: the parts have their share of each class, as far as that goes; then images that
            are added may move others.
        Raises: UsageError for shares or groups that can't be, DataError where there are no images.
        """
        from zoo.data.splitting import split_rows

        rows = split_rows(self, shares, group_by=group_by, stratify=stratify, seed=seed)
        return tuple(self.subset(rows[name], name=f"{self.name}/{name}") for name in shares)

    def subset(self, rows: ArrayLike, *, name: str | None = None) -> Dataset:
        """Some of the images, in the data set's order, without splits.

        rows: their positions, or a mask of all images. name: else that of this data set.
        """
        chosen = self._rows(rows)
        truth = self.truth.subset(chosen)
        images = gather([self.images], chosen, truth.image_ids)
        return Dataset(
            name or self.name, images, truth, self.notes, masks=self.masks, extras=self.extras
        )

    def _rows(self, positions: ArrayLike) -> NDArray[np.int64]:
        """Positions, ascending. Raises: ValueError for positions outside the images."""
        rows = np.asarray(positions)
        if rows.dtype == bool and rows.shape == (len(self),):
            return np.flatnonzero(rows)
        rows = np.unique(rows if rows.size else rows.astype(np.int64))
        if rows.dtype.kind not in "iu" or (len(rows) and not 0 <= rows[0] <= rows[-1] < len(self)):
            raise ValueError(f"rows are positions of {len(self)} images, or a mask of them")
        return rows.astype(np.int64)

    @cached_property
    def sizes(self) -> NDArray[np.float64]:
        """(m, 2) width and height of each image as annotated, NaN where the annotations do not
        say."""
        sizes = sizes_of(self.images).astype(np.float64)
        return np.where(sizes > 0, sizes, np.nan)

    @property
    def files(self) -> Sequence[str]:
        """(m,) the file name of each image, without folders."""
        return [name.replace("\\", "/").rpartition("/")[2] for name in files_of(self.images)]

    @property
    def sha256(self) -> str:
        """A fingerprint of the annotations, as 64 hex digits: of everything in them that can move a
        number."""
        return self.truth.sha256

    @property
    def images_sha256(self) -> str:
        """A fingerprint of the images, as 64 hex digits: of their ids, file names and contents.

        It does not depend on the folder they are in. Files are hashed once and known by their
        stamp after that; see `zoo.data.file_hashes`.
        Raises: DataError naming an image that is not there or can't be read.
        """
        digest = hashlib.sha256()
        for record, content in zip(self.images, self._contents(), strict=True):
            digest.update(repr((record.id, record.path.name, content)).encode())
        return digest.hexdigest()

    def _contents(self) -> list[str]:
        """The SHA-256 of each encoded image."""
        from zoo.data.file_hashes import hashes  # deferred: it brings the cache

        in_files = [record for record in self.images if record.content is None]
        try:
            digests = iter(hashes(files_to_open(in_files)))
        except OSError as error:
            raise self._unreadable(in_files, error) from None
        return [
            next(digests) if isinstance(source, Path) else hashlib.sha256(source).hexdigest()
            for source in self._sources()
        ]

    def _sources(self) -> Iterator[Path | bytes]:
        """The path of each image in a file; the content of any other, made when it is asked for."""
        for record in self.images:
            yield record.path if record.content is None else record.source()

    def _unreadable(self, records: Sequence[ImageRecord], error: OSError) -> DataError:
        path = str(error.filename or "")
        same = (record for record in records if os.path.abspath(record.path) == path)
        record = next(same, records[0])
        missing = isinstance(error, FileNotFoundError)
        case = f"is not at {record.path}" if missing else f"can't be read from {record.path}"
        return DataError(
            f"The images of {self.name} were needed.",
            f"Image {record.id!r} {case}: {error.strerror}.",
            f"Say which folder holds the images: data='coco:{self.truth.name},images=FOLDER'",
        )


def files_to_open(records: Sequence[ImageRecord]) -> list[Path]:
    """The path of each image as `ImageRecord.file` gives it; folders are followed once, and each
    file only where it is a link."""
    inside: dict[tuple[Path, Path], bool] = {}
    files = []
    for record in records:
        if record.root is not None:
            key = record.root, record.path.parent
            if key not in inside:
                inside[key] = is_inside(record.path.parent, record.root)
            if not inside[key] or record.path.is_symlink() or "\0" in record.path.name:
                record.file()
        files.append(record.path)
    return files
