"""The annotated truth of one image, as `loss` is given it, and the same in pixels of the network's
input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from zoo.boxes import have_area
from zoo.contract.batch import Batch, InputTransform
from zoo.detections.check import check_boxes
from zoo.errors import LabelError
from zoo.labels import LabelSpace
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
        columns = {name: value for name, value in vars(self).items() if value is not None}
        return Target(**{name: value[rows] for name, value in columns.items()})

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


def targets_to_input(
    batch: Batch, targets: Sequence[Target], label_space: LabelSpace
) -> list[Target]:
    """One target an image, boxes in input pixels, on the batch's device.

    Boxes without width or height are left out: no anchor could learn them, and their logarithm is
    infinite.

    Raises:
        TypeError: one is not a `Target`.
        ValueError: there are more or fewer targets than images, or a box lies wholly outside of
            its image.
        LabelError: a label is outside the label space.
    """
    if len(targets) != len(batch):
        raise ValueError(f"targets must be one per image, {len(batch)}, got {len(targets)}")
    for target in targets:
        if not isinstance(target, Target):
            raise TypeError(
                f"targets must be zoo.Target(boxes, labels), one per image, got {type_name(target)}"
            )
    return [
        _in_input(target, transform, batch.pixels.device, label_space)
        for target, transform in zip(targets, batch.transforms, strict=True)
    ]


def _in_input(
    target: Target, transform: InputTransform, device: torch.device, label_space: LabelSpace
) -> Target:
    wrong = target.labels[(target.labels < 0) | (target.labels >= len(label_space))]
    if len(wrong):
        raise LabelError(
            f"No loss can be computed for the label {int(wrong[0])}.",
            f"Its label space '{label_space.title}' has {len(label_space)} labels, from 0.",
            "Map the data set's classes to the model's by name before training.",
        )
    _check_inside(target.boxes[have_area(target.boxes)], transform)
    boxes = transform.to_input(target.boxes.to(device, torch.float32))  # (n, 4)
    columns = {name: value for name, value in vars(target).items() if value is not None}
    moved = {name: value.to(device) for name, value in columns.items()}
    return Target(**(moved | {"boxes": boxes})).select(have_area(boxes))


def _check_inside(boxes: torch.Tensor, transform: InputTransform) -> None:
    x1, y1, x2, y2 = boxes.unbind(1)
    outside = (x1 >= transform.width) | (y1 >= transform.height) | (x2 <= 0) | (y2 <= 0)
    if outside.any():
        box = [round(edge, 2) for edge in boxes[outside][0].tolist()]
        raise ValueError(
            f"the box {box} lies outside of its image of {transform.width} x {transform.height}: "
            "boxes are x1 y1 x2 y2 in pixels of the original image; leave out what a crop has cut "
            "away"
        )
