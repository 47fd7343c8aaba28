"""Every form of picture that can be drawn on, as a fresh PIL image."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from PIL import ImageOps
from torch import Tensor

from zoo.errors import ImageError
from zoo.text import type_name

Image: TypeAlias = Tensor | PIL.Image.Image | NDArray[np.uint8]


def to_pil(picture: Image) -> PIL.Image.Image:
    """The picture as an RGB image of its own.

    A PIL picture is turned upright as its EXIF says, as `detect` does it. Raises: ImageError for
    another shape or type.
    """
    if isinstance(picture, PIL.Image.Image):
        upright = ImageOps.exif_transpose(picture)
        return upright if upright.mode == "RGB" else upright.convert("RGB")
    array = (
        np.asarray(picture.cpu()).transpose(1, 2, 0)
        if isinstance(picture, Tensor) and picture.dim() == 3
        else np.asarray(picture)
    )
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3 or not array.size:
        raise ImageError(
            f"Detections were to be drawn on {type_name(picture)} of shape "
            f"{tuple(picture.shape)}, {picture.dtype}.",
            "A picture is a uint8 tensor (3, height, width), a uint8 array (height, width, 3) or "
            "a PIL image.",
            "Bring it into one of these, RGB, 0 to 255.",
        )
    return PIL.Image.fromarray(np.array(array, order="C"))  # a copy: fromarray may share memory
