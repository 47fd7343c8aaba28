"""Converts decoded images to three upright 8-bit planes, strip by strip, without a second copy."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import PIL.Image
import torch
from torch import Tensor

from zoo.images import lost_content as losses
from zoo.images.depth import checked_white, is_deep_gray, to_8_bits
from zoo.images.image import Loss
from zoo.images.sources import Array

STRIP_PIXELS = 2**22
RESULT_BYTES = 3

_STRAIGHT = {"La": "LA", "RGBa": "RGBA"}  # premultiplied alpha, and the mode that is not
_STORED_BYTES = {
    "1": 1,
    "L": 1,
    "P": 1,
    "I;16": 2,
    "I;16B": 2,
    "I;16L": 2,
}  # a pixel in Pillow's memory; others take 4
_DECODER_BYTES = {
    "JPEG2000": 12,
    "AVIF": 8,
    "WEBP": 8,
    "GIF": 8,
}  # a pixel, of frames that a decoder holds besides


def bytes_to_decode(image: PIL.Image.Image) -> int:
    """About what decoding the image takes at its peak, the result included."""
    decoder = _DECODER_BYTES.get(image.format or "", 0)
    if "progressive" in image.info:
        decoder += 6  # coefficients of 16 bits for up to three components
    return image.width * image.height * (_STORED_BYTES.get(image.mode, 4) + RESULT_BYTES + decoder)


def planes_of(
    image: PIL.Image.Image, name: str, orientation: int
) -> tuple[Tensor, tuple[Loss, ...]]:
    """Red, green and blue of a loaded image, `(3, h, w)` uint8, turned upright, and what was lost.

    orientation: the EXIF orientation that is still to be undone; tag 0x0112 of EXIF (CIPA DC-008).

    Raises: ImageError where nothing says what is white.
    """
    turned = orientation > 4
    shape = (image.width, image.height) if turned else (image.height, image.width)
    result = np.empty((3, *shape), np.uint8)
    stored = _as_stored(result, orientation)  # (3, h, w) as the file has it
    lost: tuple[Loss, ...] = ()
    if is_deep_gray(image):
        lost = _fill_deep(stored, image, name)
    else:
        for rows, strip in _strips(image):
            _fill(stored[:, rows], strip)
    return torch.from_numpy(result), lost


def _as_stored(upright: Array, orientation: int) -> Array:
    """A view of the upright planes in the order in which the file stores their pixels."""
    if orientation in (3, 4, 7, 8):
        upright = upright[:, ::-1]
    if orientation in (2, 3, 6, 7):
        upright = upright[:, :, ::-1]
    return upright.swapaxes(1, 2) if orientation > 4 else upright


def _strips(image: PIL.Image.Image) -> Iterator[tuple[slice, PIL.Image.Image]]:
    """The image in strips of whole rows; itself where it is small."""
    rows = max(1, STRIP_PIXELS // image.width)
    if rows >= image.height:
        yield slice(0, image.height), image
        return
    for top in range(0, image.height, rows):
        bottom = min(top + rows, image.height)
        yield slice(top, bottom), image.crop((0, top, image.width, bottom))


def _fill(planes: Array, image: PIL.Image.Image) -> None:
    if image.mode in _STRAIGHT:
        image = image.convert(_STRAIGHT[image.mode])
    if image.mode in ("L", "LA"):
        planes[:] = np.asarray(image.getchannel(0))
        return
    if image.mode == "1":
        planes[:] = np.asarray(image).astype(np.uint8) * 255
        return
    if image.mode == "P":
        image = image.copy()
        image.info.pop("transparency", None)  # converting would warn that it gets lost
    if image.mode not in ("RGB", "RGBA", "RGBX"):
        image = image.convert("RGB")
    for plane, band in zip(planes, "RGB", strict=True):
        # Packing one band at a time is the fastest way out of Pillow's four bytes a pixel.
        packed = np.frombuffer(image.tobytes("raw", band), np.uint8)
        plane[:] = packed.reshape(image.height, image.width)


def _fill_deep(planes: Array, image: PIL.Image.Image, name: str) -> tuple[Loss, ...]:
    """Gray of more than 8 bits."""
    extremes = np.array([(values.min(), values.max()) for _, values in _values(image)])
    low, high = float(extremes[:, 0].min()), float(extremes[:, 1].max())
    white = checked_white(image, (low, high), name)
    for rows, values in _values(image):
        planes[:, rows] = to_8_bits(values, white)
    return losses.of_dark(high, white)


def _values(image: PIL.Image.Image) -> Iterator[tuple[slice, Array]]:
    for rows, strip in _strips(image):
        yield rows, np.asarray(strip)
