"""Encoded pictures through Pillow: every mode it knows to RGB, upright."""

from __future__ import annotations

import io
import threading
from typing import IO

import numpy as np
import torch
from PIL import ExifTags, Image, UnidentifiedImageError
from torch import Tensor

from zoo.errors import ImageError
from zoo.images.picture import Exif, Picture, unreadable
from zoo.images.sources import Array

AGAIN = "Copy or download it again."
TOO_LARGE = "If you trust it, set PIL.Image.MAX_IMAGE_PIXELS to half of what you allow; if not, leave it out."

# Pillow opens these, but has another program draw them: Ghostscript, or the Windows shell.
_DRAWN = {"EPS", "WMF"}
_INVERSE = {6: 8, 8: 6}
_STRAIGHT = {"La": "LA", "RGBa": "RGBA"}  # premultiplied alpha, and the mode that is not
_loading = threading.Lock()


def decode(file: IO[bytes], name: str, *, exif: Exif = "apply", max_pixels: int | None = None) -> Picture:
    """The first frame of an encoded picture.

    Raises:
        ImageError: it is empty, cut short, damaged, too large, or no picture.
    """
    if not file.seekable():
        file = io.BytesIO(file.read())
    start = file.read(16)
    if not start:
        raise unreadable(name, "It is empty: 0 bytes.", AGAIN)
    try:
        with Image.open(file) as image:
            found, turn = _load(image, name, exif, max_pixels)
            return Picture(_pixels(image, name, turn), name, found, _has_more(image))
    except UnidentifiedImageError:
        raise _no_picture(name, start) from None
    except Exception as why:  # a parser that meets garbage raises whatever it stumbles over: OSError, SyntaxError, struct.error
        raise _refused(name, why) from why


def from_pil(image: Image.Image, name: str, *, exif: Exif = "apply", max_pixels: int | None = None) -> Picture:
    """A PIL image at its current frame. One that was opened and not loaded yet gets loaded; nothing else in it changes.

    Raises:
        ImageError: its file is cut short, damaged or too large.
    """
    try:
        with _loading:  # one image may stand in a list twice, and two threads must not load it at once
            found, turn = _load(image, name, exif, max_pixels)
        return Picture(_pixels(image, name, turn), name, found)
    except Exception as why:
        raise _refused(name, why) from why


def _load(image: Image.Image, name: str, exif: Exif, max_pixels: int | None) -> tuple[int, int]:
    """Decode; say which EXIF orientation was found, and which one the pixels still have to be turned by."""
    if image.format in _DRAWN:
        raise unreadable(name, f"It is {image.format}, a drawing, not pixels.", "Convert it to PNG in the size you want.")
    if image.width * image.height > (max_pixels or np.inf):
        case = f"It is {image.width} x {image.height} pixels, more than max_pixels={max_pixels}."
        raise unreadable(name, case, "Raise max_pixels, or make the picture smaller.")
    found = _orientation(image)
    image.load()
    left = _orientation(image)  # Pillow turns TIFF files upright by itself and takes the tag away
    if exif == "apply":
        return found, left
    return found, 1 if left == found else _INVERSE.get(found, found)


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 where there is none or where it can't be understood (as web browsers have it)."""
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:
        return 1
    return value if value in range(1, 9) else 1


def _pixels(image: Image.Image, name: str, orientation: int) -> Tensor:
    planes = [_turned(plane, orientation) for plane in _planes(image, name)]
    return torch.from_numpy(np.stack(planes))  # (3, h, w)


def _turned(plane: Array, orientation: int) -> Array:
    """A view of a plane `(h, w)` that is upright; tag 0x0112 of EXIF (CIPA DC-008)."""
    if orientation > 4:
        plane = plane.T  # (w, h)
    if orientation in (2, 3, 6, 7):
        plane = plane[:, ::-1]
    if orientation in (3, 4, 7, 8):
        plane = plane[::-1]
    return plane


def _planes(image: Image.Image, name: str) -> list[Array]:
    """Red, green and blue as `(h, w)` uint8."""
    if image.mode in _STRAIGHT:
        image = image.convert(_STRAIGHT[image.mode])
    if image.mode in ("RGB", "RGBA", "RGBX"):
        return [_plane(image, band) for band in "RGB"]
    if image.mode in ("L", "LA"):
        return [np.asarray(image.getchannel(0))] * 3
    if image.mode == "1":
        return [np.asarray(image).astype(np.uint8) * 255] * 3
    if image.mode.startswith(("I", "F")):
        return [_to_8_bits(np.asarray(image), image.mode, name)] * 3
    if image.mode == "P":
        image = image.copy()
        image.info.pop("transparency", None)  # converting would warn that it gets lost
    image = image.convert("RGB")
    return [_plane(image, band) for band in "RGB"]


def _plane(image: Image.Image, band: str) -> Array:
    # Packing one band at a time is the fastest way out of Pillow's four bytes a pixel.
    return np.frombuffer(image.tobytes("raw", band), np.uint8).reshape(image.height, image.width)


def _to_8_bits(values: Array, mode: str, name: str) -> Array:
    """Gray of more depth: integers are 16-bit, floats [0, 1] if none is above 1, else [0, 255] as Pillow has it."""
    low, high = values.min(), values.max()
    top = 65535 if mode.startswith("I") else 255 if high > 1 else 1
    if not (low >= 0 and high <= top):  # NaN fails as well
        case = f"Its gray values (Pillow mode {mode}) go from {low} to {high}, outside 0..{top}; what is white is not known."
        raise unreadable(name, case, "Scale it to 8 bits first and pass the array.")
    return np.rint(values * (255 / top)).astype(np.uint8)


def _has_more(image: Image.Image) -> bool:
    try:
        return bool(getattr(image, "is_animated", False))
    except Exception:  # what follows the first frame is damaged, but it is there
        return True


def _no_picture(name: str, start: bytes) -> ImageError:
    if start[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1"):
        fix = "pip install pillow-heif, then call pillow_heif.register_heif_opener() once."
        return unreadable(name, "It is HEIF, which Pillow reads with a plugin only.", fix)
    case = f"It is no picture that Pillow knows; it starts with {start!r}."
    return unreadable(name, case, "Convert it to JPEG or PNG, or leave it out.")


def _refused(name: str, why: Exception) -> ImageError:
    if isinstance(why, ImageError):
        return why
    reason = str(why).rstrip(".") or type(why).__name__
    if isinstance(why, Image.DecompressionBombError | Image.DecompressionBombWarning):
        return unreadable(name, f"It is too large to decode unasked. {reason}.", TOO_LARGE)
    if isinstance(why, MemoryError):
        return unreadable(name, "It does not fit into memory.", "Make the picture smaller, or leave it out.")
    return unreadable(name, f"It is damaged or cut short: {reason}.", AGAIN)
