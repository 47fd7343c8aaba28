"""Encoded pictures through Pillow: every mode it knows to RGB planes, upright."""

from __future__ import annotations

import io
import threading
from typing import IO, Literal, TypeAlias

import numpy as np
import torch
from PIL import ExifTags, Image, UnidentifiedImageError

from zoo.errors import ImageError
from zoo.images.picture import Picture, unreadable
from zoo.images.sources import Array

Exif: TypeAlias = Literal["apply", "ignore"]

AGAIN = 'Copy or download it again; detect(..., on_error="skip") leaves such pictures out.'
LARGER = "If you trust it, raise the limit before: PIL.Image.MAX_IMAGE_PIXELS = half of what you allow."

# Pillow would hand these to another program (Ghostscript, the Windows shell) that draws them.
_DRAWN = {"EPS", "WMF"}
_INVERSE = {6: 8, 8: 6}
_loading = threading.Lock()


def decode(file: IO[bytes], name: str, *, exif: Exif = "apply", max_pixels: int | None = None) -> Picture:
    """The first frame of an encoded picture.

    Raises:
        ImageError: it is empty, cut short, damaged, too large, or no picture.
    """
    start = file.read(16)
    if not start:
        raise unreadable(name, "It is empty: 0 bytes.", AGAIN)
    try:
        with Image.open(_rewound(file, start)) as image:
            return _picture(image, name, exif=exif, max_pixels=max_pixels)
    except UnidentifiedImageError:
        raise _no_picture(name, start) from None
    except Exception as why:
        raise _refused(name, why) from why


def from_pil(image: Image.Image, name: str, *, exif: Exif = "apply", max_pixels: int | None = None) -> Picture:
    """A PIL image, at its current frame; one that was opened and not loaded yet is loaded, which Pillow remembers.

    Raises:
        ImageError: its file is cut short, damaged or too large.
    """
    try:
        with _loading:  # one image may stand in a list twice, and Pillow loads into the image itself
            image.load()
        return _picture(image, name, exif=exif, max_pixels=max_pixels)
    except Exception as why:
        raise _refused(name, why) from why
