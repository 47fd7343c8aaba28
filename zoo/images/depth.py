"""Images of more than 8 bits per channel: their depth, their white, and gray ones in 8 bits."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import PIL.Image

from zoo.images.image import unreadable
from zoo.images.sources import Array

_BITS_PER_SAMPLE = 258  # tags of TIFF 6.0
_MAX_SAMPLE_VALUE, _S_MAX_SAMPLE_VALUE = 281, 341
_HEADER_BYTES = 64 * 1024


def is_deep_gray(image: PIL.Image.Image) -> bool:
    """Whether the image is one channel of integers or floats that Pillow leaves as they are."""
    return image.mode.startswith(("I", "F"))


def bits_of(image: PIL.Image.Image) -> int:
    """Bits a channel in the file, of an image that is not loaded yet; 8 where Pillow does not
    say."""
    if image.mode in ("I", "F") and white_of(image) != 65535:
        return 32
    if "bit_depth" in image.info:  # of pillow-heif
        return int(image.info["bit_depth"])
    arguments = [tile[3] for tile in getattr(image, "tile", [])]
    texts = " ".join(str(argument) for argument in arguments)
    if image.format == "PPM" and arguments and isinstance(arguments[0], tuple):
        return int(arguments[0][-1]).bit_length() if isinstance(arguments[0][-1], int) else 8
    if image.mode.startswith("I") or ";16" in texts:
        return _tiff_bits(image)
    return {"JPEG2000": _jpeg2000_bits, "AVIF": _avif_bits}.get(image.format or "", lambda _: 8)(
        _header(image)
    )


def white_of(image: PIL.Image.Image) -> float | None:
    """The value of white in a gray image of more than 8 bits, or None where nothing says it.

    It is the largest of 16 bits, or of as many as a TIFF has; what a TIFF declares as its largest
    sample; none of a 32-bit image otherwise. PNG and PPM keep 16 bits in Pillow's mode I.
    """
    if image.mode.startswith("I;16"):
        return float(2 ** _tiff_bits(image) - 1)
    if image.mode == "I" and image.format in ("PNG", "PPM"):
        return 65535.0
    tags = getattr(image, "tag_v2", {})
    with suppress(Exception):  # tags of a damaged file
        for tag in (_S_MAX_SAMPLE_VALUE, _MAX_SAMPLE_VALUE):
            if tag in tags:
                found = tags[tag]
                declared = float(found[0] if isinstance(found, tuple) else found)
                return declared if 0 < declared < np.inf else None
    return None


def to_8_bits(values: Array, white: float) -> Array:
    """Values from 0 to white as 0 to 255, rounded."""
    return np.rint(values * (255 / white)).astype(np.uint8)


def checked_white(image: PIL.Image.Image, extremes: tuple[float, float], name: str) -> float:
    """The value of white. Raises: ImageError where it is not known, or a value is not between black
    and it."""
    white, (low, high) = white_of(image), extremes
    if white is None:
        case = (
            f"Its gray values (Pillow mode {image.mode}) go from {low:g} to {high:g}, and nothing "
            f"says what is white."
        )
        fix = "Scale it to 8 bits first: np.clip(values * (255 / white), 0, 255).astype('uint8')."
        raise unreadable(name, case, fix)
    if not (low >= 0 and high <= white):  # NaN fails as well
        case = (
            f"Its gray values (Pillow mode {image.mode}) go from {low:g} to {high:g}, outside "
            f"0..{white:g}."
        )
        raise unreadable(name, case, "Scale it to 8 bits first and pass the array.")
    return white


def _tiff_bits(image: PIL.Image.Image) -> int:
    with suppress(Exception):  # no TIFF, or a damaged one
        bits = image.tag_v2[_BITS_PER_SAMPLE]  # type: ignore[attr-defined]  # of TIFF files alone
        bits = max(bits) if isinstance(bits, tuple) else bits
        return int(bits) if 8 < bits <= 16 else 16
    return 16


def _header(image: PIL.Image.Image) -> bytes:
    """The beginning of the file; where it was read up to is left as it is."""
    with suppress(Exception):
        file = image.fp  # type: ignore[attr-defined]  # of images from files alone
        place = file.tell()
        file.seek(0)
        start: bytes = file.read(_HEADER_BYTES)
        file.seek(place)
        return start
    return b""


def _jpeg2000_bits(header: bytes) -> int:
    """Ssiz of the SIZ marker, ISO/IEC 15444-1 A.5.1."""
    at = header.find(b"\xff\x4f\xff\x51")
    return (header[at + 42] & 0x7F) + 1 if 0 <= at < len(header) - 42 else 8


def _avif_bits(header: bytes) -> int:
    """`high_bitdepth` and `twelve_bit` of the av1C box, AV1-ISOBMFF 2.3."""
    at = header.find(b"av1C")
    flags = header[at + 6] if 0 <= at < len(header) - 6 else 0
    return 8 + 2 * bool(flags & 0x40) + 2 * bool(flags & 0x20)
