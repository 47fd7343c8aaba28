"""The annotated truth of one image, as `loss` is given it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from zoo.detections.check import check_boxes
from zoo.text import type_name


@dataclass(frozen=True)
class Target:
    """The annotated objects of one image; n may be 0.

    A box may be without width or height, as some in COCO are; `loss` leaves it out.

    boxes:  `(n, 4)` float32 xyxy, in pixels of the original image.
    labels: `(n,)` int64, positions in the label space.
    crowd:  `(n,)` bool, regions of many objects, or None if unknown.
    area:   `(n,)` float32, of the masks, in pixels of the original image, or None if unknown.
    ids:    `(n,)` int64, of the annotations, or None if unknown.
    masks:  `(n, height, width)` bool, of the original image, or None if unknown.
    Raises: ValueError for other shapes or types, or boxes that are not finite or end before they
        begin, as x y width height would.
    """

    boxes: Tensor
    labels: Tensor
    crowd: Tensor | None = None
    area: Tensor | None = None
    ids: Tensor | None = None
    masks: Tensor | None = None

    def __post_init__(self) -> None:
        _check_type("boxes", self.boxes, torch.float32, "x1 y1 x2 y2 in original pixels")
        _check_type("labels", self.labels, torch.int64, "positions in the label space")
        shapes = tuple(self.boxes.shape), tuple(self.labels.shape)
        count = self.labels.numel()
        if shapes != ((count, 4), (count,)):
            raise ValueError(
                f"a target has boxes (n, 4) and labels (n,), got {shapes[0]} and {shapes[1]}"
            )
        if count:
            check_boxes(self.boxes)
        self._check_what_is_known(count)

    def select(self, rows: Tensor) -> Target:
        """The objects in these rows: `(n,)` bool, or positions."""
        known = {name: value for name, value in vars(self).items() if value is not None}
        return Target(**{name: value[rows] for name, value in known.items()})

    def _check_what_is_known(self, count: int) -> None:
        for name, (dtype, meaning) in _OPTIONAL.items():
            column = getattr(self, name)
            if column is None:
                continue
            _check_type(name, column, dtype, meaning)
            if column.shape[:1] != (count,) or column.dim() != (3 if name == "masks" else 1):
                raise ValueError(f"{name} has a row per box, {count}, got {tuple(column.shape)}")


_OPTIONAL = {
    "crowd": (torch.bool, "true for regions of many objects"),
    "area": (torch.float32, "pixels of the original image"),
    "ids": (torch.int64, "ids of annotations"),
    "masks": (torch.bool, "pixels of the original image"),
}


def _check_type(name: str, column: object, dtype: torch.dtype, meaning: str) -> None:
    got = column.dtype if isinstance(column, Tensor) else type_name(column)
    if got != dtype:
        raise ValueError(f"{name} must be a tensor of {dtype}, {meaning}, got {got}")
