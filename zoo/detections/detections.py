"""What one detector saw in one picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from zoo.labels import LabelSpace


@dataclass(frozen=True, eq=False)
class Detections:
    """Boxes in one picture, best first; frozen.

    boxes:  (n, 4) float32, `x1 y1 x2 y2` in absolute pixels of the original picture.
    scores: (n,)   float32 in [0, 1], descending.
    labels: (n,)   int64, positions in `names`.
    space:  the label space of the labels.
    size:   (height, width) of the picture in pixels, or None where nobody said.
    source: the picture's file, URL or position in the list, or None.
    """

    boxes: Tensor
    scores: Tensor
    labels: Tensor
    space: LabelSpace
    size: tuple[int, int] | None = None
    source: str | None = None

    def __post_init__(self) -> None:
        count = len(self.scores)
        for name, shape in (("boxes", (count, 4)), ("scores", (count,)), ("labels", (count,))):
            found = tuple(getattr(self, name).shape)
            if found != shape:
                raise ValueError(f"{name} must be {shape} to match {count} scores, got {found}")
        for name, dtype in (("boxes", torch.float32), ("scores", torch.float32), ("labels", torch.int64)):
            found = getattr(self, name).dtype
            if found != dtype:
                raise ValueError(f"{name} must be {dtype}, got {found}")

    @classmethod
    def empty(cls, space: LabelSpace, *, size: tuple[int, int] | None = None, source: str | None = None) -> Detections:
        """Nothing seen."""
        return cls(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0, dtype=torch.int64), space, size, source)

    @property
    def names(self) -> tuple[str, ...]:
        """The class names that labels point into."""
        return self.space.names

    def __len__(self) -> int:
        return len(self.scores)

    def __iter__(self) -> Iterator[Detections]:
        return (self[row : row + 1] for row in range(len(self)))

    def __getitem__(self, keep: Tensor | slice) -> Detections:
        return replace(self, boxes=self.boxes[keep], scores=self.scores[keep], labels=self.labels[keep])
