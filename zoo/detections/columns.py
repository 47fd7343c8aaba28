"""Boxes, scores and labels in whatever form a caller has them, as the three tensors of `Detections`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zoo.labels import LabelSpace

Floats: TypeAlias = Tensor | NDArray[np.generic] | Sequence[float]
Rows: TypeAlias = Tensor | NDArray[np.generic] | Sequence[Sequence[float]]
Labels: TypeAlias = Tensor | NDArray[np.generic] | Sequence[int] | Sequence[str]


def columns(boxes: Rows, scores: Floats, labels: Labels, space: LabelSpace) -> tuple[Tensor, Tensor, Tensor]:
    """Boxes `(n, 4)`, scores `(n,)`, labels `(n,)` on the CPU, of the right types, best first, ties in the order given.

    Raises: ValueError for labels that are no whole numbers, or columns of different length; LabelError for an unknown class name.
    """
    wanted = _tensor(scores).to(torch.float32)
    places = _tensor(boxes).to(torch.float32)
    numbers = _label_numbers(labels, space)
    if not len(places) == len(wanted) == len(numbers):
        raise ValueError(f"boxes, scores and labels must be of one length, got {len(places)}, {len(wanted)} and {len(numbers)}")
    order = wanted.argsort(descending=True, stable=True)  # (n,)
    places = places.reshape(0, 4) if not places.numel() else places
    return places[order], wanted[order], numbers[order]


def _tensor(values: Rows | Floats | Labels) -> Tensor:
    return values.detach().cpu() if isinstance(values, Tensor) else torch.tensor(np.asarray(values))


def _label_numbers(labels: Labels, space: LabelSpace) -> Tensor:
    """Labels `(n,)` int64: numbers as they are, class names by the space."""
    if not len(labels):
        return torch.zeros(0, dtype=torch.int64)
    if not isinstance(labels, Tensor) and any(isinstance(label, str) for label in labels):
        return torch.tensor([space.label(str(label)) for label in labels])
    given = _tensor(labels)
    numbers = given.to(torch.int64)
    if given.is_floating_point() and not torch.equal(numbers.to(given.dtype), given):
        raise ValueError("labels must be whole numbers or class names")
    return numbers
