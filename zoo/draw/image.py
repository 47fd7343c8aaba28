"""Converts every form of image that can be drawn on to a new PIL image."""

from __future__ import annotations

from contextlib import suppress
from typing import TypeAlias

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from PIL import ImageOps
from torch import Tensor

from zoo.errors import ImageError
from zoo.images import read
from zoo.text import type_name

Image: TypeAlias = Tensor | PIL.Image.Image | NDArray[np.uint8]


def to_pil(image: Image) -> PIL.Image.Image:
    """Copies the image as RGB.

    A PIL image is turned upright and converted as in `detect`. Raises: ImageError for another
    shape or type, and for a PIL image that `detect` can't read either.
    """
    if isinstance(image, PIL.Image.Image):
        return _of_pil(image)
    array = (
        np.asarray(image.cpu()).transpose(1, 2, 0)
        if isinstance(image, Tensor) and image.dim() == 3
        else np.asarray(image)
    )
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3 or not array.size:
        raise ImageError(
            f"Detections can't be drawn on {type_name(image)} of shape "
            f"{tuple(image.shape)}, {image.dtype}.",
            "An image is a uint8 tensor (3, height, width), a uint8 array (height, width, 3) or "
            "a PIL image.",
            "Bring it into one of these, RGB, 0 to 255.",
        )
    return PIL.Image.fromarray(np.array(array, order="C"))  # a copy: fromarray may share memory


def _of_pil(image: PIL.Image.Image) -> PIL.Image.Image:
    if image.mode == "RGB":  # the fast way, with the same pixels
        with suppress(Exception):  # it is damaged, or its EXIF is: reading says so, or copes
            return ImageOps.exif_transpose(image)
    planes = read(image).pixels.numpy()
    return PIL.Image.merge("RGB", [PIL.Image.fromarray(plane) for plane in planes])
