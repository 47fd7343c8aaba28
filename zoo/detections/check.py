"""Validates the columns of every `Detections` and the arguments of its methods; errors name the row
and say what to pass."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from numbers import Integral, Real
from operator import index
from os import PathLike, fspath
from reprlib import repr as short
from typing import SupportsIndex, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zoo.errors import LabelError
from zoo.labels import LabelSpace
from zoo.text import pluralize, type_name

_DTYPES = {"boxes": torch.float32, "scores": torch.float32, "labels": torch.int64}


def check(boxes: Tensor, scores: Tensor, labels: Tensor, label_space: LabelSpace) -> None:
    """Shapes, dtypes and values of the three columns, in a handful of tensor operations.

    Raises: TypeError for other things than tensors and a label space; ValueError for what the
        tensors hold; LabelError for a label outside the space.
    """
    if not isinstance(label_space, LabelSpace):
        raise TypeError(
            f"label_space must be a LabelSpace, got {type_name(label_space)}; Detections.of(...) "
            f"takes "
            f"names and lists of classes"
        )
    _check_shapes(boxes=boxes, scores=scores, labels=labels)
    if len(scores):
        _check_scores(scores)
        check_boxes(boxes)
        _check_labels(labels, label_space)


def _check_shapes(**columns: Tensor) -> None:
    for name, column in columns.items():
        if not isinstance(column, Tensor):
            raise TypeError(
                f"{name} must be a tensor, got {type_name(column)}; Detections.of(...) converts"
            )
    count = columns["scores"].numel()
    for name, column in columns.items():
        shape = (count, 4) if name == "boxes" else (count,)
        if tuple(column.shape) != shape:
            raise ValueError(
                f"{name} must be {shape} to match {pluralize(count, 'score')}, got "
                f"{tuple(column.shape)}"
            )
        if column.dtype != _DTYPES[name]:
            raise ValueError(
                f"{name} must be {_DTYPES[name]}, got {column.dtype}; Detections.of(...) converts"
            )


def _check_scores(scores: Tensor) -> None:
    if not bool((scores[:-1] >= scores[1:]).all()):
        raise ValueError(
            "scores must descend, best first, and none be NaN; Detections.of(...) sorts"
        )
    best, worst = float(scores[0]), float(scores[-1])
    if not (best <= 1 and worst >= 0):  # so spelled, a lone NaN fails as well
        raise ValueError(
            f"scores must lie in [0, 1], got {worst:g} to {best:g}; logits go through sigmoid first"
        )


def check_boxes(boxes: Tensor) -> None:
    """Boxes `(n, 4)`, n at least 1, are finite and have their corners in order. Raises: ValueError
    that shows the first other."""
    finite = float(boxes.abs().max()) < float("inf")  # False for NaN
    if finite and bool((boxes[:, 2:] >= boxes[:, :2]).all()):
        return
    good = boxes.isfinite().all(1) & (boxes[:, 2:] >= boxes[:, :2]).all(1)  # (n,)
    row = int(good.int().argmin())
    corners = ", ".join(f"{value:g}" for value in boxes[row].tolist())
    raise ValueError(
        f"boxes must be finite x1 y1 x2 y2 with x1 <= x2 and y1 <= y2, but box {row} is "
        f"[{corners}]; "
        "zoo.boxes converts from x y width height and from centres"
    )


def _check_labels(labels: Tensor, label_space: LabelSpace) -> None:
    low, high = (int(value) for value in labels.aminmax())
    if low < 0 or high >= len(label_space):
        classes = pluralize(len(label_space), "class", "classes")
        raise LabelError(
            f"Detections in the label space '{label_space.title}' can't be made.",
            f"Label {low if low < 0 else high} is outside it: it has {classes}, "
            f"0..{len(label_space) - 1}.",
            "Labels are contiguous from 0: map a data set's ids with label_space.label_of_id, a "
            "network's outputs with label_space.channels.",
        )


Picked: TypeAlias = (
    SupportsIndex | slice | Tensor | NDArray[np.generic] | Sequence[int] | Sequence[bool]
)
Region: TypeAlias = tuple[float, float, float, float]

SIZE = "a size is (height, width), two whole numbers of pixels, at least 1 each"
REGION = "a region is x1 y1 x2 y2 with x1 <= x2 and y1 <= y2"
PICKED = (
    "rows are picked by a position, a slice, a list of positions, or a mask with an entry a row"
)


def number(value: object, *, to: str, rule: str, least: float = -inf, most: float = inf) -> float:
    """A number in `[least, most]`, also a NumPy one or a tensor of one; never NaN. `rule` says in
    words what it has to be.

    Raises: TypeError for something else, ValueError for a number out of range.
    """
    plain_value = _plain(value)
    if isinstance(plain_value, bool) or not isinstance(plain_value, Real):
        raise TypeError(f"{to} was given {short(value)}, {type_name(value)}: {rule}")
    plain = float(plain_value)
    if not least <= plain <= most:  # NaN is in no range
        raise ValueError(f"{to} was given {short(plain_value)}: {rule}")
    return plain


def whole_number(value: object, *, to: str, rule: str, least: float = -inf) -> int:
    """A whole number, at least that large. Raises: TypeError for something else, ValueError for a
    number that is less."""
    plain_value = _plain(value)
    if isinstance(plain_value, bool) or not isinstance(plain_value, Integral):
        raise TypeError(f"{to} was given {short(value)}, {type_name(value)}: {rule}")
    if plain_value < least:
        raise ValueError(f"{to} was given {plain_value}: {rule}")
    return int(plain_value)


def size_of(size: object) -> tuple[int, int] | None:
    """The size of an image, or None if unknown. Raises: TypeError, ValueError."""
    if size is None:
        return None
    if (
        not isinstance(size, Sequence | np.ndarray | Tensor)
        or isinstance(size, str)
        or len(size) != 2
    ):
        raise TypeError(f"size was given {short(size)}: {SIZE}")
    height, width = (whole_number(length, to="size", rule=SIZE, least=1) for length in size)
    return height, width


def source_of(source: object) -> str | None:
    """The source of an image, as text. Raises: TypeError."""
    if isinstance(source, PathLike):
        source = fspath(source)
    if source is not None and not isinstance(source, str):
        raise TypeError(
            f"source was given {short(source)}, {type_name(source)}: a source is an image's path "
            f"or URL, or None"
        )
    return source


def region_of(region: object) -> Region:
    """The corners of a region; infinity is allowed. Raises: TypeError, ValueError."""
    if (
        not isinstance(region, Sequence | np.ndarray | Tensor)
        or isinstance(region, str)
        or len(region) != 4
    ):
        raise TypeError(f"a region was given as {short(region)}: {REGION}")
    x1, y1, x2, y2 = (number(edge, to="a region", rule=REGION) for edge in region)
    if x1 > x2 or y1 > y2:
        raise ValueError(f"a region was given as {short(region)}: {REGION}")
    return x1, y1, x2, y2


def rows_of(keep: Picked, count: int) -> slice | Tensor:
    """The selection of rows of a table of `count`, best first: a slice, a mask `(count,)`, or
    positions in rising order.

    Raises: TypeError for what picks no rows, IndexError for a row that is not there.
    """
    if isinstance(keep, slice):
        return (
            keep
            if keep.step is None or keep.step > 0
            else torch.tensor(sorted(range(count)[keep]), dtype=torch.int64)
        )
    if isinstance(keep, SupportsIndex) and not isinstance(keep, bool | np.ndarray | Tensor):
        row = _row(index(keep), count)
        return slice(row, row + 1)
    picked = torch.as_tensor(_positions_or_mask(keep))
    if picked.dtype == torch.bool and picked.dim():
        if tuple(picked.shape) != (count,):
            raise IndexError(
                f"the mask is {tuple(picked.shape)} and there are {count} detections: {PICKED}"
            )
        return picked
    if picked.is_floating_point() or picked.is_complex() or picked.dtype == torch.bool:
        raise TypeError(f"{short(keep)} picks no rows: {PICKED}")
    positions = picked.reshape(-1).tolist()
    return torch.tensor(sorted(_row(position, count) for position in positions), dtype=torch.int64)


def _row(position: int, count: int) -> int:
    """The row from 0 on; negative positions count from the end."""
    if not -count <= position < count:
        raise IndexError(f"there is no detection {position}: there are {count}, counted from 0")
    return position % count


def _positions_or_mask(keep: object) -> Tensor | NDArray[np.generic]:
    """Positions or a mask as a tensor or an array of numbers."""
    if isinstance(keep, Tensor):
        return keep
    if isinstance(keep, str):
        raise TypeError(
            f"{keep!r} picks no rows: {PICKED}; detections of a class are of_classes({keep!r})"
        )
    if isinstance(keep, tuple):
        raise TypeError(f"{short(keep)} picks no rows: {PICKED}; write [{list(keep)}] for several")
    try:
        rows = np.asarray(keep)
    except ValueError:  # rows of different length
        rows = np.asarray(None)
    if isinstance(keep, Sequence) and not rows.size:
        return np.zeros(0, np.int64)
    if rows.dtype.kind not in "biuf":
        raise TypeError(f"{short(keep)} picks no rows: {PICKED}")
    return rows


def _plain(value: object) -> object:
    """A NumPy number, or an array or tensor of one, as Python has it."""
    return (
        value.item()
        if isinstance(value, np.generic | np.ndarray | Tensor) and value.ndim == 0
        else value
    )
