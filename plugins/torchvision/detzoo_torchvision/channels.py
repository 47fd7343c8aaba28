"""Background: torchvision gives channel 0 to it, a plain list of classes says nothing of it."""

from __future__ import annotations

from dataclasses import replace

from zoo.errors import LabelError
from zoo.labels import LabelSpace


def with_background(label_space: LabelSpace) -> LabelSpace:
    """The space with background as channel 0, where torchvision's `num_classes` counts it, in all
    four families.

    A space that declares channels of its own (coco91) is taken at its word; one channel a class, as
    in a list of names, gets the background put in front.

    Raises: LabelError, where a declared channel 0 is a class: the two-stage and SSD losses would
        train it as background.
    """
    if label_space.channels == tuple(range(len(label_space))):
        return replace(label_space, channels=(-1, *label_space.channels))
    if label_space.channels[0] != -1:
        raise LabelError(
            f"A torchvision detector can't be built with the label space '{label_space.name}'.",
            f"Its channel 0 is '{label_space.names[label_space.channels[0]]}', and torchvision "
            f"keeps channel 0 for background.",
            "Declare channel 0 as -1, or leave the channels out.",
        )
    return label_space
