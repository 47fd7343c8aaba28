"""Converts boxes, scores and labels of any form to the three tensors of `Detections`."""

from __future__ import annotations

from collections.abc import Sequence
from reprlib import repr as short
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zoo.labels import LabelSpace

Floats: TypeAlias = Tensor | NDArray[np.generic] | Sequence[float]
Rows: TypeAlias = Tensor | NDArray[np.generic] | Sequence[Sequence[float]]
Labels: TypeAlias = Tensor | NDArray[np.generic] | Sequence[int] | Sequence[str]

_COLUMNS = {
    "boxes": "a row of four numbers a detection, [[x1, y1, x2, y2], ...]",
    "scores": "a number a detection, [0.9, 0.5, ...]",
    "labels": "a class name or a whole number a detection, ['person', ...]",
}


def columns(
    boxes: Rows, scores: Floats, labels: Labels, label_space: LabelSpace
) -> tuple[Tensor, Tensor, Tensor]:
    """Boxes `(n, 4)`, scores `(n,)`, labels `(n,)` on the CPU, of the right types, best first, ties
    in the order given.

    Raises: TypeError for other than a column of numbers; ValueError for labels that are not whole
        numbers, or columns of different
    length; LabelError for an unknown class name.
    """
    numbers = _tensor("scores", scores).to(torch.float32)
    places = _tensor("boxes", boxes).to(torch.float32)
    positions = _label_numbers(labels, label_space)
    if not len(places) == len(numbers) == len(positions):
        raise ValueError(
            f"boxes, scores and labels must be of one length, got {len(places)}, {len(numbers)} "
            f"and {len(positions)}"
        )
    order = numbers.argsort(descending=True, stable=True)  # (n,)
    places = places.reshape(0, 4) if not places.numel() else places
    return places[order], numbers[order], positions[order]


def _tensor(name: str, values: Rows | Floats | Labels) -> Tensor:
    """A column on the CPU. Raises: TypeError for what holds no numbers, or is a lone one."""
    if isinstance(values, Tensor):
        column = values.detach().cpu()
    else:
        try:
            array = np.asarray(values)
            column = torch.tensor(array if array.size else array.astype(np.float32))
        except (TypeError, ValueError):  # text, None, rows of different length
            raise TypeError(f"{name} must be {_COLUMNS[name]}, got {short(values)}") from None
    if not column.dim() or (column.numel() and column.dtype == torch.bool) or column.is_complex():
        raise TypeError(f"{name} must be {_COLUMNS[name]}, got {short(values)}")
    return column


def _label_numbers(labels: Labels, label_space: LabelSpace) -> Tensor:
    """Labels `(n,)` int64: numbers as they are, class names by the space."""
    if isinstance(labels, Sequence | np.ndarray) and any(
        isinstance(label, str) for label in labels
    ):
        return torch.tensor([label_space.label(label) for label in labels])  # type: ignore[arg-type]  # other types are refused
    column = _tensor("labels", labels)
    numbers = column.to(torch.int64)
    if column.is_floating_point() and not torch.equal(numbers.to(column.dtype), column):
        raise ValueError("labels must be whole numbers or class names")
    return numbers
