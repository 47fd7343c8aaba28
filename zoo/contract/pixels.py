"""Checks the images that a `Preprocess` is given, for every family alike."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from zoo.errors import ImageError
from zoo.text import type_name


def check_pixels(images: Sequence[Tensor]) -> None:
    """Each is a uint8 tensor `(3, h, w)` with pixels in it. Raises: ImageError that names the first
    other by its position."""
    if isinstance(images, Tensor):
        asked = f"preprocess was given one tensor {tuple(images.shape)}."
        raise ImageError(
            asked,
            "Images come as a list, because each may have its own size.",
            "Pass a list: preprocess([image])",
        )
    for position, image in enumerate(images):
        if not isinstance(image, Tensor):
            raise _refused(position, f"It is {type_name(image)}.")
        if (
            image.dtype != torch.uint8
            or image.dim() != 3
            or image.shape[0] != 3
            or not image.numel()
        ):
            unit = (
                " Of floats in [0, 1]: (image * 255).round().to(torch.uint8)"
                if image.is_floating_point()
                else ""
            )
            raise _refused(
                position, f"It is a tensor of {image.dtype}, {tuple(image.shape)}.", more=unit
            )


def _refused(position: int, case: str, *, more: str = "") -> ImageError:
    fix = (
        "Pass uint8 RGB tensors (3, height, width), 0 to 255: zoo.images.read(image).pixels "
        "makes one of any form."
    )
    return ImageError(f"preprocess can't take image {position}.", case, fix + more)
