"""Detections of many pictures as flat arrays, from whatever a detector hands over."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from operator import attrgetter, itemgetter
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from zoo.data.columns import plain
from zoo.data.ground_truth import MOST, BoxFormat
from zoo.data.ragged import starts_of
from zoo.errors import DataError
from zoo.labels import LabelSpace, meet
from zoo.suggest import check_choice
from zoo.text import pluralize, type_name

_COLUMNS = ("boxes", "scores", "labels")
_ITEMS, _ATTRIBUTES, _SHAPE = itemgetter(*_COLUMNS), attrgetter(*_COLUMNS), attrgetter("shape")


@dataclass(frozen=True, eq=False)
class Flat:
    """Detections of some pictures, one picture after another, in the order the detector gave them.

    starts: (m + 1,) int64, the first detection of each picture, and the end.
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

    def part(self, start: int, stop: int) -> Flat:
        """The detections of some images, one after another."""
        starts = self.starts[start : stop + 1]
        rows = slice(int(starts[0]), int(starts[-1]))
        columns = {name: getattr(self, name)[rows] for name in _COLUMNS}
        return replace(self, starts=starts - starts[0], **columns)

    def mentioned(self) -> Flat:
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
    detections: Sequence[object] | Mapping[str, Any] | Flat,
    *,
    image_ids: Sequence[Any],
    label_space: LabelSpace,
    box_format: BoxFormat,
) -> Flat:
    """Flat arrays of per-picture detections or of a padded batch.

    detections: a list, one item a picture: `zoo.Detections`, or a mapping with `boxes`, `scores`,
                `labels`, arrays or tensors on any device; or one mapping of padded ones (b, n, 4),
                (b, n), (b, n) with `counts` (b,), how many are real; or flat already, of another
                label space maybe.
    Raises: DataError naming the picture; UsageError for a format of boxes that there is not.
    """
    check_choice("box_format", box_format, get_args(BoxFormat))
    check_count(detections, len(image_ids))
    if isinstance(detections, Flat):
        return _fitted(
            detections,
            _Where(detections.starts, image_ids),
            [detections.label_space or label_space],
            label_space,
        )
    listed = _unpadded(detections, image_ids) if isinstance(detections, Mapping) else detections
    counts, (boxes, scores, labels) = _alike(listed) or _one_by_one(listed, image_ids)
    starts = starts_of(np.array(counts, np.int64))
    where = _Where(starts, image_ids)
    boxes, scores = _floats(boxes).reshape(-1, 4), _floats(scores)
    spaces = (
        [label_space]
        if set(map(type, listed)) == {dict}
        else [getattr(one, "label_space", label_space) for one in listed]
    )
    return _fitted(
        Flat(starts, boxes, scores, _whole(labels, where), {}, box_format),
        where,
        spaces,
        label_space,
    )


def _alike(listed: Sequence[Any]) -> tuple[list[int], list[NDArray[Any]]] | None:
    """How many detections each image has, and their joined columns, where all images hold arrays or
    tensors of one type.

    This is the short way for what mostly comes; None for everything else, and for whatever is
    wrong.
    """
    kinds = set(map(type, listed))
    if len(kinds) != 1:
        return None
    getters = map(itemgetter, _COLUMNS) if kinds == {dict} else map(attrgetter, _COLUMNS)
    try:
        columns = [list(map(get, listed)) for get in getters]
        of = {type_name for column in columns for type_name in set(map(type, column))}
        if of == {np.ndarray}:
            size: Any = attrgetter("size")
        elif "torch" in sys.modules and of == {sys.modules["torch"].Tensor}:
            size = sys.modules["torch"].Tensor.numel
        else:
            return None
        sizes = [list(map(size, column)) for column in columns]
        types = [set(map(attrgetter("dtype"), column)) for column in columns]
        counts = sizes[1]
        if sizes[2] != counts or sizes[0] != [4 * count for count in counts] or not any(counts):
            return None
        if any(len(dtypes) > 1 or not _numeric(*dtypes) for dtypes in types):
            return None
        joined = list(map(_joined, columns))
    except (AttributeError, KeyError, RuntimeError, TypeError, ValueError):
        return None
    total = sum(counts)
    return (
        (counts, joined)
        if [column.shape for column in joined] == [(total, 4), (total,), (total,)]
        else None
    )


def _one_by_one(
    listed: Sequence[Any], image_ids: Sequence[Any]
) -> tuple[list[int], list[NDArray[Any]]]:
    """The same for images of any kind, each looked at alone. Raises: DataError naming the image."""
    shaped = [_columns_of(one, image_id) for one, image_id in zip(listed, image_ids, strict=True)]
    columns, shapes = (
        [of_picture for of_picture, _ in shaped],
        [of_picture for _, of_picture in shaped],
    )
    counts = [scores[0] if len(scores) == 1 else -1 for _, scores, _ in shapes]
    for row, ((boxes, _, labels), count) in enumerate(zip(shapes, counts, strict=True)):
        if count < 0 or labels != (count,) or (boxes != (count, 4) and count):
            what = (
                f"Boxes, scores and labels have the shapes "
                f"{', '.join(str(tuple(shape)) for shape in shapes[row])}."
            )
            raise _refused(
                image_ids[row],
                what,
                "Give every detection a box of four numbers, a score and a label.",
            )
    numbers = _numbers(columns, counts, image_ids)
    full = [one for one, count in zip(numbers, counts, strict=True) if count]
    return counts, [_joined([one[column] for one in full]) for column in range(3)]


def _fitted(
    flat: Flat, where: _Where, spaces: Sequence[LabelSpace], label_space: LabelSpace
) -> Flat:
    """Checked, and with labels of the data set's space. spaces: those of the labels, image by
    image, or one for all."""
    _check(flat.boxes, flat.scores, where, flat.box_format)
    _check_labels(flat.labels, spaces, where)
    labels, unmet = _in_space(flat.starts, flat.labels, spaces, label_space)
    flat = replace(flat, labels=labels, unmet=unmet, label_space=None)
    return _without(flat, labels < 0) if unmet else flat


def check_count(detections: Sequence[object] | Mapping[str, Any] | Flat, count: int) -> None:
    """Raises: DataError unless there is an item of detections, or a row of a padded batch, for each
    of so many pictures."""
    asked = f"Detections of {pluralize(count, 'image')} were handed over."
    alone = hasattr(detections, "boxes") and not isinstance(detections, Flat)
    if alone or isinstance(detections, str) or not hasattr(detections, "__len__"):
        raise DataError(
            asked,
            f"They are {type_name(detections)}, no list.",
            "Pass a list with one item a picture.",
        )
    if not isinstance(detections, Mapping):
        if len(detections) != count:
            fix = "Pass one item a picture; a picture in which nothing was found has an empty one."
            raise DataError(
                asked, f"The list of detections has {pluralize(len(detections), 'item')}.", fix
            )
        return
    for column in (*_COLUMNS, "counts"):
        if column not in detections:
            fix = (
                "Add it, one number a picture, or pass a list with one item a picture."
                if column == "counts"
                else "Add it."
            )
            what = (
                "does not say how many of its rows are real: it has no"
                if column == "counts"
                else "has no"
            )
            raise DataError(
                "A padded batch of detections was handed over.", f"It {what} `{column}`.", fix
            )
    for column in (*_COLUMNS, "counts"):
        if not hasattr(detections[column], "__len__") or len(detections[column]) != count:
            found = (
                f"{len(detections[column])} rows"
                if hasattr(detections[column], "__len__")
                else type_name(detections[column])
            )
            raise DataError(
                asked,
                f"The padded batch has `{column}` of {found}.",
                "Give every column a row a picture.",
            )


@dataclass(frozen=True)
class _Where:
    """Which detection of which picture a row is, for messages."""

    starts: NDArray[np.int64]
    image_ids: Sequence[Any]

    def refused(self, row: int, case: str, fix: str) -> DataError:
        """The error for one row."""
        picture = int(np.searchsorted(self.starts, row, side="right")) - 1
        case = f"Its detection {row - int(self.starts[picture])} is wrong: {case}"
        return _refused(self.image_ids[picture], case, fix)


def _columns_of(one: Any, image_id: Any) -> tuple[Sequence[Any], list[Any]]:
    """Boxes, scores and labels of one picture, as arrays or tensors, and their shapes."""
    try:
        columns = _ITEMS(one) if isinstance(one, Mapping) else _ATTRIBUTES(one)
        return columns, list(map(_SHAPE, columns))
    except (KeyError, AttributeError):  # lists of numbers, or something that lacks a column
        arrays = _arrays(one, image_id)
        return arrays, list(map(_SHAPE, arrays))


def _arrays(one: Any, image_id: Any) -> list[NDArray[Any]]:
    columns = [
        one.get(name) if isinstance(one, Mapping) else getattr(one, name, None) for name in _COLUMNS
    ]
    if missing := [name for name, column in zip(_COLUMNS, columns, strict=True) if column is None]:
        what = f"They are {type_name(one)} without {', '.join(missing)}."
        raise _refused(
            image_id,
            what,
            "Pass `zoo.Detections`, or a mapping with boxes (n, 4), scores (n,) and labels (n,).",
        )
    try:
        return [plain(column) for column in columns]
    except ValueError:  # what numpy says of rows of several lengths
        fix = "Give every detection a box of four numbers, a score and a label."
        raise _refused(image_id, "The rows of a column have several lengths.", fix) from None


def _unpadded(batch: Mapping[str, Any], image_ids: Sequence[Any]) -> list[Mapping[str, Any]]:
    listed: list[Mapping[str, Any]] = []
    for row, image_id in enumerate(image_ids):
        of_image, given = {column: batch[column][row] for column in _COLUMNS}, batch["counts"][row]
        room = min(
            len(values) if hasattr(values, "__len__") else -1 for values in of_image.values()
        )
        number = given.tolist() if hasattr(given, "tolist") else given
        whole = (
            isinstance(number, int | float)
            and not isinstance(number, bool)
            and float(number).is_integer()
        )
        if not (whole and 0 <= number <= room):
            case = f"Its `counts` is {number!r}, and its padded rows are {room}."
            raise _refused(
                image_id, case, "Say how many of its rows are real, a whole number from 0."
            )
        listed.append({column: values[: int(number)] for column, values in of_image.items()})
    return listed


def _joined(parts: list[Any]) -> NDArray[Any]:
    """One array of many; tensors are joined where they are, so that a GPU's travel once."""
    if not parts:
        return np.zeros(0, np.float32)
    if not all(
        type_name.__module__.startswith("torch") for type_name in {type(part) for part in parts}
    ):
        return np.concatenate([plain(part) for part in parts])
    torch = sys.modules["torch"]  # whoever made the tensors has imported it
    if len({part.device for part in parts}) > 1:
        parts = [part.cpu() for part in parts]
    whole = torch.cat(parts).detach()
    if whole.dtype in (torch.bfloat16, torch.float16):
        whole = whole.float()
    joined: NDArray[Any] = whole.cpu().numpy()
    return joined


def _numbers(
    columns: Sequence[Sequence[Any]], counts: Sequence[int], image_ids: Sequence[Any]
) -> Sequence[Sequence[Any]]:
    """The same columns, those of objects (pandas, numpy) as the numbers they hold.

    Raises: DataError naming the first image whose numbers are none.
    """
    if all(map(_numeric, {_dtype(column) for of_image in columns for column in of_image})):
        return columns
    columns = [
        [one if _numeric(_dtype(one)) else plain(one) for one in of_image] for of_image in columns
    ]
    for place, name in enumerate(_COLUMNS):
        for column, count, image_id in zip(columns, counts, image_ids, strict=True):
            if count and not _numeric(column[place].dtype):
                fix = f"Pass {name} as an array of numbers."
                if name == "labels":
                    fix = (
                        "Pass positions in the label space, whole numbers; `label_space.label(name)` is "
                        "the position of a class."
                    )
                raise _refused(image_id, f"Its {name} are {column[place].dtype}, no numbers.", fix)
    return columns


def _dtype(column: Any) -> Any:
    """Of a frame None: it has one for each of its columns."""
    return getattr(column, "dtype", None)


def _numeric(dtype: Any) -> bool:
    """Whether a type of numpy's or torch's is one of whole or floating numbers."""
    if isinstance(dtype, np.dtype):
        return dtype.kind in "iuf"
    return type(dtype).__module__ == "torch" and not any(
        other in str(dtype) for other in ("bool", "complex")
    )


def _floats(values: NDArray[Any]) -> NDArray[Any]:
    if values.dtype in (np.float32, np.float64):
        return values
    return values.astype(np.float32 if values.dtype == np.float16 else np.float64)


def _whole(labels: NDArray[Any], where: _Where) -> NDArray[np.int64]:
    """Labels as whole numbers; those that are written as 3.0 are."""
    if not len(labels) or labels.dtype.kind in "iu":
        return labels.astype(np.int64, copy=False)
    wrong = ~(np.abs(labels) < 2**31) | (labels != np.floor(labels))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise where.refused(
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
        given = labels[rows]
        mapped[rows] = place[given]
        lost = np.bincount(given[place[given] < 0], minlength=len(theirs))
        unmet.update({theirs.names[own]: int(lost[own]) for own in np.flatnonzero(lost)})
    return mapped, dict(unmet)


@lru_cache(maxsize=64)
def _places(theirs: LabelSpace, label_space: LabelSpace) -> NDArray[np.int64]:
    """The label in `label_space` of each label of another space, -1 where it lacks the class."""
    met = meet(theirs, label_space).data_label
    return np.array([met.get(own, -1) for own in range(len(theirs))], np.int64)


def _distinct(spaces: Sequence[LabelSpace]) -> dict[int, LabelSpace]:
    return {id(label_space): label_space for label_space in spaces}


def _without(flat: Flat, out: NDArray[np.bool_]) -> Flat:
    kept = ~out
    before = starts_of(kept.astype(np.int64))
    return replace(
        flat,
        starts=before[flat.starts],
        boxes=flat.boxes[kept],
        scores=flat.scores[kept],
        labels=flat.labels[kept],
    )


def _check(boxes: NDArray[Any], scores: NDArray[Any], where: _Where, box_format: BoxFormat) -> None:
    if not len(scores):
        return
    if not np.isfinite((scores.min(), scores.max())).all():  # NaN is passed on by both
        row = int(np.flatnonzero(~np.isfinite(scores))[0])
        raise where.refused(
            row,
            f"its score is {scores[row]}.",
            "Find out where the model makes it; scores are finite.",
        )
    if not (boxes.min() >= -MOST and boxes.max() <= MOST):
        row = int(np.flatnonzero(~(np.abs(boxes) <= MOST).all(1))[0])
        raise where.refused(
            row, f"its box is {boxes[row].tolist()}.", "Find out where the model makes it."
        )
    least = boxes.T[:2] if box_format == "xyxy" else (0, 0)
    # a column at a time: (n, 2) at once takes ten times as long
    wrong = [far < near for far, near in zip(boxes.T[2:], least, strict=True)]
    if wrong[0].any() or wrong[1].any():
        row = int(np.flatnonzero(wrong[0] | wrong[1])[0])
        what, other = (
            ("right or lower edge comes before the other", "xywh")
            if box_format == "xyxy"
            else ("size is negative", "xyxy")
        )
        raise where.refused(
            row,
            f"its box is {boxes[row].tolist()}, whose {what}.",
            f"Are these boxes {other}? box_format='{other}'",
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
        what = (
            f"its label is {labels[row]}; there are {pluralize(size[row], 'class', 'classes')}, 0 "
            f"to {size[row] - 1}."
        )
        raise where.refused(row, what, "Pass positions in the label space, not category ids.")


def _refused(image_id: Any, case: str, fix: str) -> DataError:
    return DataError(f"Detections of image {image_id!r} were handed over.", case, fix)
