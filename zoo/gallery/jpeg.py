"""JPEGs of a bounded number of bytes, as data URLs."""

from __future__ import annotations

import base64
import io
import math
from typing import TYPE_CHECKING

import PIL.Image

if TYPE_CHECKING:
    from torch import Tensor

MOST_BYTES = 24_000_000  # of all images of a page together, as they stand in it
MOST_IMAGES = 2_000
SIDE = 1280  # pixels of the longer side, where there is room for it
QUALITY = 82
_BEFORE = "data:image/jpeg;base64,"


def room(images: int) -> int:
    """Characters that each image may take in a page of that number of them."""
    return MOST_BYTES // max(images, 1)


def data_url(pixels: Tensor, *, most: int) -> str:
    """A uint8 RGB image `(3, h, w)` as a JPEG in a data URL of at most `most` characters: smaller
    until it fits."""
    image = PIL.Image.fromarray(pixels.permute(1, 2, 0).contiguous().numpy())
    side = min(SIDE, max(image.size))
    while True:
        small = image.copy()
        small.thumbnail((side, side), reducing_gap=3.0)
        encoded = _encoded(small)
        url = _BEFORE + base64.b64encode(encoded).decode()
        if len(url) <= most or side <= 1:
            return url
        share = math.sqrt(most / len(url)) * 0.95
        side = max(1, min(side - 1, round(max(small.size) * share)))


def _encoded(image: PIL.Image.Image) -> bytes:
    held = io.BytesIO()
    image.save(held, "JPEG", quality=QUALITY, optimize=True)
    return held.getvalue()
