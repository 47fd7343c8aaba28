"""Targets in pixels of the network's input, without boxes that have no area."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from zoo.contract.batch import Batch
from zoo.contract.input_transform import InputTransform
from zoo.contract.target import Target
from zoo.errors import LabelError
from zoo.labels import LabelSpace
from zoo.text import type_name


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
        _in_input(target, place, batch.pixels.device, label_space)
        for target, place in zip(targets, batch.places, strict=True)
    ]


def _in_input(
    target: Target, place: InputTransform, device: torch.device, label_space: LabelSpace
) -> Target:
    wrong = target.labels[(target.labels < 0) | (target.labels >= len(label_space))]
    if len(wrong):
        raise LabelError(
            f"No loss can be computed for the label {int(wrong[0])}.",
            f"Its label space '{label_space.title}' has {len(label_space)} labels, from 0.",
            "Map the data set's classes to the model's by name before training.",
        )
    _check_inside(target.boxes, place)
    boxes = place.to_input(target.boxes.to(device, torch.float32))  # (n, 4)
    solid = (boxes[:, 2:] > boxes[:, :2]).all(dim=1)  # (n,)
    known = {name: value for name, value in vars(target).items() if value is not None}
    moved = {name: value.to(device) for name, value in known.items()}
    return Target(**(moved | {"boxes": boxes})).select(solid)


def _check_inside(boxes: torch.Tensor, place: InputTransform) -> None:
    x1, y1, x2, y2 = boxes.unbind(1)
    outside = (x1 >= place.width) | (y1 >= place.height) | (x2 <= 0) | (y2 <= 0)
    if outside.any():
        box = [round(edge, 2) for edge in boxes[outside][0].tolist()]
        raise ValueError(
            f"the box {box} lies outside of its image of {place.width} x {place.height}: boxes "
            f"are x1 y1 x2 y2 in pixels of "
            "the original image; leave out what a crop has cut away"
        )
