"""Annotated boxes of a whole data set as flat arrays, checked once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zoo.data.box_tables import (
    COLUMNS,
    BoxFormat,
    check_columns,
    check_corners,
    check_records,
    table_of,
    to_xywh,
    with_defaults,
)
from zoo.data.columns import columns_of
from zoo.data.finding import current_findings
from zoo.data.image_ids import compact_ids, ids_of, rows_of_ids, unique_ids
from zoo.data.offsets import rows_of, starts_of
from zoo.data.sanitize import sanitize
from zoo.errors import DataError
from zoo.labels import LabelSpace
from zoo.suggest import check_choice
from zoo.text import pluralize

_DTYPES = {
    "images": np.int32,
    "labels": np.int32,
    "xywh": np.float64,
    "areas": np.float64,
    "crowd": np.bool_,
    "ids": np.int64,
}


@dataclass(frozen=True, eq=False)
class GroundTruth:
    """Annotated boxes of the images of one data set; made by `GroundTruth.of` or `coco.read`.

    image_ids: (m,) int64 or str, ascending: equal scores are ordered by it.
    label_space:     the label space of the labels; its ids are the data set's category ids.
    images:    (n,) int32, the image of each box, as a row of `image_ids`; ascending, then by label,
               then as given.
    labels:    (n,) int32, positions in `label_space.names`.
    xywh:      (n, 4) float64, left, top, width, height in pixels: the annotation's own numbers,
               because converting them to corners and back would move an IoU in its last bit.
               Everything but the evaluator reads `boxes`, which are xyxy.
    areas:     (n,) float64, pixels²; the mask's where there is one.
    crowd:     (n,) bool, boxes around a group; any number of detections may match one without gain
               or loss.
    ids:       (n,) int64, annotation ids.
    image_attributes, box_attributes: name -> (m,) or (n,) values, to slice by.
    name:      what the data set is called in messages.
    no_area:   number of areas that are the boxes' own because a file has none;
               `EdgeCasePolicy(missing_area="refuse")` refuses them.
    """

    image_ids: NDArray[Any]
    label_space: LabelSpace
    images: NDArray[np.int32]
    labels: NDArray[np.int32]
    xywh: NDArray[np.float64]
    areas: NDArray[np.float64]
    crowd: NDArray[np.bool_]
    ids: NDArray[np.int64]
    image_attributes: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    box_attributes: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    name: str = "the data set"
    no_area: int = 0

    @classmethod
    def of(
        cls,
        images: Iterable[int] | Iterable[str] | Mapping[str, ArrayLike],
        boxes: Mapping[str, ArrayLike],
        *,
        label_space: LabelSpace | Sequence[str],
        box_format: BoxFormat = "xyxy",
        name: str = "the data set",
        no_area: int = 0,
    ) -> GroundTruth:
        """Ground truth from two tables, rows in any order.

        images: the ids of all images, also those without boxes; or columns with `id` among them.
        boxes:  columns `image` (ids), `label`, `box` (n, 4), and where known `area`, `crowd`, `id`.
                Areas default to the boxes', ids to 1, 2, 3 … Every other column, of either table,
                is an attribute to slice by.
        no_area: how many of the areas given were missing before, and are the boxes' own.
        Columns are lists, arrays, tensors or those of a data frame. Whole numbers may be written as
        3.0 or "3"; None, NaN and -1 are an unknown area, id or crowd; 12 and "12" are one image id.
        Raises: DataError naming the first wrong record; UsageError for an unknown box format.
        """
        check_choice("box_format", box_format, get_args(BoxFormat))
        if not isinstance(label_space, LabelSpace):
            label_space = LabelSpace.custom(label_space)
        about, table = _read_tables(images, boxes, name)
        by_id = np.argsort(about["id"], kind="stable")
        image_ids = unique_ids(about["id"][by_id], name)
        table = _possible(table, image_ids, label_space, box_format, name)
        box = to_xywh(table["box"], box_format)
        rows = rows_of_ids(image_ids, table["image"], name)
        table, unknown = with_defaults(table, box, name)
        check_records(table, box, len(label_space), name)
        order = _by_image_and_label(rows, table["label"], len(image_ids) * len(label_space))
        others = [key for key in table if key not in COLUMNS]
        return cls(
            image_ids=image_ids,
            label_space=label_space,
            images=rows[order].astype(np.int32),
            labels=np.clip(table["label"], -1, len(label_space))[order].astype(np.int32),
            xywh=box[order],
            areas=table["area"][order],
            crowd=table["crowd"][order],
            ids=table["id"][order],
            image_attributes={key: value[by_id] for key, value in about.items() if key != "id"},
            box_attributes={key: table[key][order] for key in others},
            name=name,
            no_area=no_area + unknown,
        )

    def __post_init__(self) -> None:
        for column, dtype in _DTYPES.items():
            object.__setattr__(self, column, np.ascontiguousarray(getattr(self, column), dtype))
        self._check()

    def __len__(self) -> int:
        return len(self.image_ids)

    def __repr__(self) -> str:
        sizes = (
            pluralize(len(self), "image"),
            pluralize(len(self.labels), "box", "boxes"),
            pluralize(len(self.label_space), "class", "classes"),
        )
        return f"GroundTruth({self.name}: {', '.join(sizes)})"

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """(m + 1,) the first box of each image, and the end."""
        return starts_of(np.bincount(self.images, minlength=len(self)))

    @cached_property
    def boxes(self) -> NDArray[np.float64]:
        """(n, 4) left, top, right, bottom in pixels."""
        boxes = self.xywh.copy()
        boxes[:, 2:] += boxes[:, :2]
        return boxes

    def rows(self, image: int) -> slice:
        """The boxes of one image, by its position in `image_ids`."""
        first, end = self.starts[image : image + 2].tolist()
        return slice(first, end)

    def subset(self, images: NDArray[np.int64]) -> GroundTruth:
        """The ground truth of some images. images: rows of `image_ids`, ascending.

        `no_area` is the most that it can be: which areas a file has not is not remembered.
        """
        counts = np.diff(self.starts)[images]
        boxes = rows_of(self.starts[images], counts)
        return replace(
            self,
            image_ids=compact_ids(self.image_ids[images]),
            images=np.repeat(np.arange(len(images)), counts),
            labels=self.labels[boxes],
            xywh=self.xywh[boxes],
            areas=self.areas[boxes],
            crowd=self.crowd[boxes],
            ids=self.ids[boxes],
            image_attributes=_at(images, self.image_attributes),
            box_attributes=_at(boxes, self.box_attributes),
            no_area=min(self.no_area, len(boxes)),
        )

    @cached_property
    def sha256(self) -> str:
        """A fingerprint of everything that can move a number, as 64 hex digits."""
        digest = hashlib.sha256(repr((self.label_space.names, self.image_ids.dtype.str)).encode())
        for column in (
            self.image_ids,
            self.images,
            self.labels,
            self.xywh,
            self.areas,
            self.crowd,
            self.ids,
        ):
            digest.update(np.ascontiguousarray(column).tobytes())
        return digest.hexdigest()

    def _check(self) -> None:
        """Raises: DataError naming the first annotation whose numbers can't be; ValueError for
        columns that are not in order."""
        count = len(self.labels)
        shapes = [getattr(self, column).shape for column in _DTYPES]
        keys = self.images.astype(np.int64) * len(self.label_space) + self.labels
        if (
            shapes != [(count, 4) if column == "xywh" else (count,) for column in _DTYPES]
            or (np.diff(keys) < 0).any()
        ):
            raise ValueError(
                f"GroundTruth: columns of one length, by image and then label; use "
                f"GroundTruth.of, got {shapes}"
            )
        if count and not 0 <= self.images.min() <= self.images.max() < len(self):
            raise ValueError(
                f"GroundTruth: images are rows of the {len(self)} image ids; use GroundTruth.of"
            )
        columns = {
            "image": self.image_ids[self.images],
            "label": self.labels,
            "area": self.areas,
            "id": self.ids,
        }
        columns["crowd"] = self.crowd
        check_records(columns, self.xywh, len(self.label_space), self.name)
        if len(self.label_space) > 65535:
            raise DataError(
                f"{self.name} was read.",
                f"It has {len(self.label_space)} classes.",
                "Measure at most 65,535 at a time.",
            )
        again = np.sort(self.ids)
        if (again[1:] == again[:-1]).any():
            twice = again[1:][again[1:] == again[:-1]][0]
            raise DataError(
                f"{self.name} was read.",
                f"Annotation id {twice} is there twice.",
                "Give every annotation an id of its own.",
            )


def _at(rows: NDArray[np.int64], columns: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {name: column[rows] for name, column in columns.items()}


def _read_tables(
    images: Iterable[int] | Iterable[str] | Mapping[str, ArrayLike],
    boxes: Mapping[str, ArrayLike],
    name: str,
) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
    """Columns of the images and of the boxes, checked. Raises: DataError naming a wrong column."""
    columns = columns_of(images)
    about = {"id": ids_of(images, name)} if columns is None else table_of(columns, name)
    table = table_of(columns_of(boxes) or {}, name)
    check_columns(table, about, name)
    return about, table


def _possible(
    table: dict[str, NDArray[Any]],
    image_ids: NDArray[Any],
    label_space: LabelSpace,
    box_format: BoxFormat,
    name: str,
) -> dict[str, NDArray[Any]]:
    """The boxes, where findings are collected without those that can't be. Raises: DataError for
    corners in the wrong order."""
    findings = current_findings()
    if findings is not None:
        return sanitize(table, image_ids, label_space, box_format, findings)
    check_corners(table, box_format, name)
    return table


def _by_image_and_label(
    rows: NDArray[np.int64], labels: NDArray[np.int64], cells: int
) -> NDArray[np.int64]:
    """(n,) boxes by image, then label, then as given. cells: images times classes."""
    count = len(rows)
    if not count or cells >= 2**62 // count:
        return np.lexsort((labels, rows))
    classes = labels.max() + 1
    # Sorting numbers is ten times as fast as sorting positions by them.
    ordered = np.sort((rows * classes + labels) * count + np.arange(count))
    order: NDArray[np.int64] = ordered % count
    return order
