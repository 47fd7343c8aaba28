"""Detections of many images as flat arrays, from whatever a detector hands over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from zoo.data.box_tables import MAX_COORDINATE, BoxFormat
from zoo.data.offsets import starts_of
from zoo.errors import DataError
from zoo.evaluate.coco.detection_columns import (
    COLUMNS,
    columns_of_one_kind,
    columns_one_by_one,
    image_error,
    unpad,
)
from zoo.labels import LabelSpace, match_labels
from zoo.suggest import check_choice
from zoo.text import pluralize, type_name


@dataclass(frozen=True, eq=False)
class FlatDetections:
    """Detections of some images, one image after another, in the order the detector gave them.

    starts: (m + 1,) int64, the first detection of each image, and the end.
    boxes:  (n, 4) float32 or float64, in the detector's format.
    scores: (n,)   float32 or float64, finite.
    labels: (n,)   int64, positions in the data set's label space.
    unmet:  class name -> detections left out because the data set has no such class.
    """

    starts: NDArray[np.int64]
    boxes: NDArray[Any]
    scores: NDArray[Any]
    labels: NDArray[np.int64]
    unmet: Mapping[str, int]
    box_format: BoxFormat
    label_space: LabelSpace | None = None  # of the labels, where it is not the data set's yet

    def __len__(self) -> int:
        """How many images they are of."""
        return len(self.starts) - 1

    def part(self, start: int, stop: int) -> FlatDetections:
        """The detections of some images, one after another."""
        starts = self.starts[start : stop + 1]
        rows = slice(int(starts[0]), int(starts[-1]))
        columns = {name: getattr(self, name)[rows] for name in COLUMNS}
        return replace(self, starts=starts - starts[0], **columns)

    def only_images_with_detections(self) -> FlatDetections:
        """The same detections, without the images that have none."""
        return replace(self, starts=self.starts[np.diff(self.starts, prepend=-1) > 0])

    def xywh(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Some boxes as x, y, width, height: widths are subtracted in the boxes' own precision,
        then widened, as in `to_coco`."""
        boxes = self.boxes[rows]
        if self.box_format == "xyxy":
            boxes[:, 2:] -= boxes[:, :2]
        return boxes.astype(np.float64)


def flatten(
    detections: Sequence[object] | Mapping[str, Any] | FlatDetections,
    *,
    image_ids: Sequence[Any],
    label_space: LabelSpace,
    box_format: BoxFormat,
) -> FlatDetections:
    """Flat arrays of per-image detections or of a padded batch.

    detections: a list, one item per image: `zoo.Detections`, or a mapping with `boxes`, `scores`,
                `labels`, arrays or tensors on any device; or one mapping of padded ones (b, n, 4),
                (b, n), (b, n) with `counts` (b,), how many are real; or flat already, of another
                label space maybe.
    Raises: DataError naming the image; UsageError for a format of boxes that there is not.
    """
    check_choice("box_format", box_format, get_args(BoxFormat))
    check_count(detections, len(image_ids))
    if isinstance(detections, FlatDetections):
        return _check_and_map(
            detections,
            _Where(detections.starts, image_ids),
            [detections.label_space or label_space],
            label_space,
        )
    listed = unpad(detections, image_ids) if isinstance(detections, Mapping) else detections
    counts, (boxes, scores, labels) = columns_of_one_kind(listed) or columns_one_by_one(
        listed, image_ids
    )
    starts = starts_of(np.array(counts, np.int64))
    where = _Where(starts, image_ids)
    boxes, scores = _floats(boxes).reshape(-1, 4), _floats(scores)
    spaces = (
        [label_space]
        if set(map(type, listed)) == {dict}
        else [getattr(entry, "label_space", label_space) for entry in listed]
    )
    return _check_and_map(
        FlatDetections(starts, boxes, scores, _whole_labels(labels, where), {}, box_format),
        where,
        spaces,
        label_space,
    )


def _check_and_map(
    flat: FlatDetections, where: _Where, spaces: Sequence[LabelSpace], label_space: LabelSpace
) -> FlatDetections:
    """Checked, and with labels of the data set's space. spaces: those of the labels, image by
    image, or one for all."""
    _check(flat.boxes, flat.scores, where, flat.box_format)
    _check_labels(flat.labels, spaces, where)
    labels, unmet = _in_space(flat.starts, flat.labels, spaces, label_space)
    flat = replace(flat, labels=labels, unmet=unmet, label_space=None)
    return _without(flat, labels < 0) if unmet else flat


def check_count(
    detections: Sequence[object] | Mapping[str, Any] | FlatDetections, count: int
) -> None:
    """Raises: DataError unless there is an item of detections, or a row of a padded batch, for each
    image."""
    failure = f"Detections of {pluralize(count, 'image')} were handed over."
    alone = hasattr(detections, "boxes") and not isinstance(detections, FlatDetections)
    if alone or isinstance(detections, str) or not hasattr(detections, "__len__"):
        raise DataError(
            failure,
            f"They are {type_name(detections)}, no list.",
            "Pass a list with one item per image.",
        )
    if not isinstance(detections, Mapping):
        if len(detections) != count:
            fix = "Pass one item per image; an image in which nothing was found has an empty one."
            raise DataError(
                failure, f"The list of detections has {pluralize(len(detections), 'item')}.", fix
            )
        return
    for column in (*COLUMNS, "counts"):
        if column not in detections:
            fix = (
                "Add it, one number per image, or pass a list with one item per image."
                if column == "counts"
                else "Add it."
            )
            problem = (
                "does not say how many of its rows are real: it has no"
                if column == "counts"
                else "has no"
            )
            raise DataError(
                "A padded batch of detections was handed over.", f"It {problem} `{column}`.", fix
            )
    for column in (*COLUMNS, "counts"):
        if not hasattr(detections[column], "__len__") or len(detections[column]) != count:
            counts = (
                f"{len(detections[column])} rows"
                if hasattr(detections[column], "__len__")
                else type_name(detections[column])
            )
            raise DataError(
                failure,
                f"The padded batch has `{column}` of {counts}.",
                "Give every column a row per image.",
            )


@dataclass(frozen=True)
class _Where:
    """Which detection of which image a row is, for messages."""

    starts: NDArray[np.int64]
    image_ids: Sequence[Any]

    def error(self, row: int, case: str, fix: str) -> DataError:
        """The error for one row."""
        image = int(np.searchsorted(self.starts, row, side="right")) - 1
        case = f"Its detection {row - int(self.starts[image])} is wrong: {case}"
        return image_error(self.image_ids[image], case, fix)


def _floats(values: NDArray[Any]) -> NDArray[Any]:
    if values.dtype in (np.float32, np.float64):
        return values
    return values.astype(np.float32 if values.dtype == np.float16 else np.float64)


def _whole_labels(labels: NDArray[Any], where: _Where) -> NDArray[np.int64]:
    """Labels as whole numbers; those that are written as 3.0 are."""
    if not len(labels) or labels.dtype.kind in "iu":
        return labels.astype(np.int64, copy=False)
    wrong = ~(np.abs(labels) < 2**31) | (labels != np.floor(labels))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise where.error(
            row, f"its label is {labels[row]}.", "Pass positions in the label space, whole numbers."
        )
    return labels.astype(np.int64)


def _in_space(
    starts: NDArray[np.int64],
    labels: NDArray[np.int64],
    spaces: Sequence[LabelSpace],
    label_space: LabelSpace,
) -> tuple[NDArray[np.int64], dict[str, int]]:
    """Labels as positions in `label_space`, by class name where they point elsewhere; -1 for a
    class it lacks, and how many of each."""
    foreign = {
        key: theirs
        for key, theirs in _distinct(spaces).items()
        if theirs.names != label_space.names
    }
    if not foreign:
        return labels, {}
    mapped = np.full(len(labels), -1)
    unmet: Counter[str] = Counter()
    distinct = _distinct(spaces)
    of_row = (
        np.repeat([id(theirs) for theirs in spaces], np.diff(starts)) if len(distinct) > 1 else None
    )
    for key, theirs in distinct.items():
        rows = np.arange(len(labels)) if of_row is None else np.flatnonzero(of_row == key)
        place = _places(theirs, label_space) if key in foreign else np.arange(len(theirs))
        own_labels = labels[rows]
        mapped[rows] = place[own_labels]
        lost = np.bincount(own_labels[place[own_labels] < 0], minlength=len(theirs))
        unmet.update({theirs.names[own]: int(lost[own]) for own in np.flatnonzero(lost)})
    return mapped, dict(unmet)


@lru_cache(maxsize=64)
def _places(theirs: LabelSpace, label_space: LabelSpace) -> NDArray[np.int64]:
    """The label in `label_space` of each label of another space, -1 where it lacks the class."""
    met = match_labels(theirs, label_space).data_label
    return np.array([met.get(own, -1) for own in range(len(theirs))], np.int64)


def _distinct(spaces: Sequence[LabelSpace]) -> dict[int, LabelSpace]:
    return {id(label_space): label_space for label_space in spaces}


def _without(flat: FlatDetections, out: NDArray[np.bool_]) -> FlatDetections:
    keep = ~out
    before = starts_of(keep.astype(np.int64))
    return replace(
        flat,
        starts=before[flat.starts],
        boxes=flat.boxes[keep],
        scores=flat.scores[keep],
        labels=flat.labels[keep],
    )


def _check(boxes: NDArray[Any], scores: NDArray[Any], where: _Where, box_format: BoxFormat) -> None:
    if not len(scores):
        return
    if not np.isfinite((scores.min(), scores.max())).all():  # NaN is passed on by both
        row = int(np.flatnonzero(~np.isfinite(scores))[0])
        raise where.error(
            row,
            f"its score is {scores[row]}.",
            "Find out where the model makes it; scores are finite.",
        )
    if not (boxes.min() >= -MAX_COORDINATE and boxes.max() <= MAX_COORDINATE):
        row = int(np.flatnonzero(~(np.abs(boxes) <= MAX_COORDINATE).all(1))[0])
        raise where.error(
            row, f"its box is {boxes[row].tolist()}.", "Find out where the model makes it."
        )
    least = boxes.T[:2] if box_format == "xyxy" else (0, 0)
    # a column at a time: (n, 2) at once takes ten times as long
    wrong = [far < near for far, near in zip(boxes.T[2:], least, strict=True)]
    if wrong[0].any() or wrong[1].any():
        row = int(np.flatnonzero(wrong[0] | wrong[1])[0])
        problem, format_ = (
            ("right or lower edge comes before the other", "xywh")
            if box_format == "xyxy"
            else ("size is negative", "xyxy")
        )
        raise where.error(
            row,
            f"its box is {boxes[row].tolist()}, whose {problem}.",
            f"Are these boxes {format_}? box_format='{format_}'",
        )


def _check_labels(labels: NDArray[np.int64], spaces: Sequence[LabelSpace], where: _Where) -> None:
    least = min(map(len, _distinct(spaces).values()), default=0)
    if not len(labels) or (labels.min() >= 0 and labels.max() < least):
        return
    sizes = [len(label_space) for label_space in spaces]
    size = np.repeat(
        sizes if len(sizes) > 1 else sizes * (len(where.starts) - 1), np.diff(where.starts)
    )
    for row in np.flatnonzero((labels < 0) | (labels >= size))[:1].tolist():
        case = (
            f"its label is {labels[row]}; there are {pluralize(size[row], 'class', 'classes')}, 0 "
            f"to {size[row] - 1}."
        )
        raise where.error(row, case, "Pass positions in the label space, not category ids.")
