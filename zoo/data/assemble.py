"""Builds a data set from the columns that a reader has read, images in any order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zoo.data.box_tables import BoxFormat
from zoo.data.dataset import Dataset
from zoo.data.ground_truth import GroundTruth
from zoo.data.image_ids import unique_ids
from zoo.data.image_records import FolderRecords
from zoo.labels import LabelSpace


@dataclass(kw_only=True)
class Found:
    """The content of annotation files, unchecked and in file order.

    ids, files, sizes: of each image: id, name of its file in `folder`, width and height (0 is
        unknown).
    rows:   the image of each box, by its position. boxes: their other columns, as
        `GroundTruth.of` takes them.
    splits: name -> positions of its images.
    """

    name: str
    label_space: LabelSpace
    ids: Sequence[Any]
    files: Sequence[str]
    sizes: ArrayLike
    rows: ArrayLike
    boxes: Mapping[str, Any]
    box_format: BoxFormat
    annotations: Path
    folder: Path | None = None
    image_attributes: Mapping[str, Any] = field(default_factory=dict)
    splits: Mapping[str, Sequence[int]] = field(default_factory=dict)
    notes: Sequence[str] = ()

    def dataset(self) -> Dataset:
        """The data set. Raises: DataError naming the first record that can't be."""
        ids = np.array(self.ids) if len(self.ids) else np.zeros(0, np.str_)
        order = np.argsort(ids, kind="stable")
        unique_ids(ids[order], self.name)
        rows = np.asarray(self.rows, np.int64).reshape(-1)
        columns = self._in_image_order({"image": ids[rows]} | dict(self.boxes), order, rows)
        images = {"id": ids} | dict(self.image_attributes)
        truth = GroundTruth.of(
            images,
            columns,
            label_space=self.label_space,
            box_format=self.box_format,
            name=self.name,
        )
        sizes = np.asarray(self.sizes, np.int64).reshape(-1, 2)
        files = [self.files[row] for row in order.tolist()]
        records = FolderRecords(truth.image_ids, files, sizes[order], self.annotations, self.folder)
        return Dataset(self.name, records, truth, tuple(self.notes), self._splits(order))

    def _in_image_order(
        self, columns: Mapping[str, Any], order: NDArray[np.int64], rows: NDArray[np.int64]
    ) -> Mapping[str, Any]:
        """The columns of boxes, by image where their ids are counted: so that these, and the data
        set's hash, do not depend on the order in which a format lists its images."""
        if "id" in columns:
            return columns
        places = np.empty(len(order), np.int64)
        places[order] = np.arange(len(order))
        boxes = np.argsort(places[rows], kind="stable")
        if (boxes == np.arange(len(boxes))).all():
            return columns
        return {name: np.asarray(column)[boxes] for name, column in columns.items()}

    def _splits(self, order: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
        places = np.empty(len(order), np.int64)
        places[order] = np.arange(len(order))
        return {name: places[np.asarray(rows, np.int64)] for name, rows in self.splits.items()}
