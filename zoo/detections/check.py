"""Validates every `Detections`; errors name the row and say what to pass."""

from __future__ import annotations

import torch
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
