"""Validates decode output: on the CPU, in the right label space, boxes inside the image."""

from __future__ import annotations

from zoo.detections import Detections
from zoo.labels import LabelSpace
from zoo.text import type_name

# Scaling boxes back rounds in float32, which is so coarse at 20,000 pixels.
PIXELS = 0.01


def violation(seen: object, size: tuple[int, int], label_space: LabelSpace) -> str | None:
    """The rule that decode output breaks, or None.

    Detections are on the CPU, in the label space, inside the image `(height, width)`.
    """
    if not isinstance(seen, Detections):
        return f"Its decode returned {type_name(seen)}, not Detections."
    if not seen.boxes.is_cpu:
        return f"The boxes are on {seen.boxes.device}, not on the CPU."
    if seen.label_space is not label_space and seen.label_space != label_space:
        return (
            f"The labels are of the label space '{seen.label_space.title}', the model's is "
            f"'{label_space.title}'."
        )
    if not len(seen):
        return None
    boxes = seen.boxes.numpy()  # a third of the time that torch takes for so few numbers
    (left, top), (right, bottom) = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    if min(left, top) < -PIXELS or right > size[1] + PIXELS or bottom > size[0] + PIXELS:
        return f"A box leaves the image: they span x {left:g}..{right:g}, y {top:g}..{bottom:g}."
    return None
