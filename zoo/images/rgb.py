"""Image: three upright planes of 8-bit RGB. Converts decoded images of any mode and depth to that,
and lists what is lost: frames, finer shades, transparency."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import PIL.Image
import torch
from torch import Tensor

from zoo.images.unreadable import unreadable

Array: TypeAlias = np.ndarray[Any, Any]
Exif: TypeAlias = Literal["apply", "ignore"]

STRIP_PIXELS = 2**22
RESULT_BYTES = 3

_STRAIGHT_ALPHA = {"La": "LA", "RGBa": "RGBA"}  # mode with premultiplied alpha -> the one without

# Bytes per pixel in Pillow's memory; other modes take 4.
_STORED_BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2}
# Bytes per pixel that a decoder holds in addition.
_DECODER_BYTES = {"JPEG2000": 12, "AVIF": 8, "WEBP": 8, "GIF": 8}

_BITS_PER_SAMPLE = 258  # tags of TIFF 6.0
_PHOTOMETRIC, _WHITE_IS_ZERO = 262, 0
_MAX_SAMPLE_VALUE, _S_MAX_SAMPLE_VALUE = 281, 341
_HEADER_BYTES = 64 * 1024

_THUMBNAIL = "Large Thumbnail"  # MPO's type of a preview
_GAIN_MAPS = ("hdrgm", "hdrgainmap")
_PAGES = ("TIFF", "MPO")


class Loss(NamedTuple):
    """Something in a file that is missing in the pixels read from it.

    kind: `frames`, `bits`, `range` or `transparency`.
    case: a sentence about the image.
    """

    kind: str
    case: str


@dataclass(frozen=True, eq=False)
class Image:
    """An image's pixels and their source; frozen, and the pixels must not be written to.

    pixels:      `(3, height, width)` uint8 RGB, contiguous.
    source:      the file or URL as it was given, with `***` in place of a password, or the position
        counted from 0, as `image 3`.
    orientation: the EXIF orientation of the file, 1..8; 1 is upright, also without EXIF.
    animated:    whether the file has more frames or pages than the first, which was read.
    lost:        what was lost: further frames or pages, depth beyond 8 bits, transparency.
    """

    pixels: Tensor
    source: str
    orientation: int = 1
    animated: bool = False
    lost: tuple[Loss, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self.pixels.shape[1], self.pixels.shape[2]


class ImageWarning(UserWarning):
    """An image could not be read and was left out, or was only read in part."""


def bytes_to_decode(image: PIL.Image.Image) -> int:
    """The approximate peak memory of decoding the image, with the result, in bytes."""
    decoder = _DECODER_BYTES.get(image.format or "", 0)
    if "progressive" in image.info:
        decoder += 6  # coefficients of 16 bits for up to three components
    return image.width * image.height * (_STORED_BYTES.get(image.mode, 4) + RESULT_BYTES + decoder)


def planes_of(
    image: PIL.Image.Image, name: str, orientation: int
) -> tuple[Tensor, tuple[Loss, ...]]:
    """Red, green and blue of a loaded image, `(3, h, w)` uint8, turned upright, and what was lost.

    orientation: the EXIF orientation to undo; tag 0x0112 of EXIF (CIPA DC-008).

    Raises: ImageError if the value of white is unknown.
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
    """The image in strips of whole rows; a small image in one piece."""
    rows = max(1, STRIP_PIXELS // image.width)
    if rows >= image.height:
        yield slice(0, image.height), image
        return
    for top in range(0, image.height, rows):
        bottom = min(top + rows, image.height)
        yield slice(top, bottom), image.crop((0, top, image.width, bottom))


def _fill(planes: Array, image: PIL.Image.Image) -> None:
    if image.mode in _STRAIGHT_ALPHA:
        image = image.convert(_STRAIGHT_ALPHA[image.mode])
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
        # Packing one band at a time is the fastest way out of Pillow's four bytes per pixel.
        packed = np.frombuffer(image.tobytes("raw", band), np.uint8)
        plane[:] = packed.reshape(image.height, image.width)


def _fill_deep(planes: Array, image: PIL.Image.Image, name: str) -> tuple[Loss, ...]:
    """Fills the planes with gray of more than 8 bits, scaled to 8."""
    extremes = np.array([(values.min(), values.max()) for _, values in _values(image)])
    low, high = float(extremes[:, 0].min()), float(extremes[:, 1].max())
    white = checked_white(image, (low, high), name)
    negative = _is_negative(image)
    for rows, values in _values(image):
        planes[:, rows] = to_8_bits(white - values if negative else values, white)
    return loss_of_range(white - low if negative else high, white)


def _is_negative(image: PIL.Image.Image) -> bool:
    """Whether 0 is white, which Pillow only undoes in TIFFs of up to 8 bits."""
    with suppress(Exception):  # tags of a damaged file
        return bool(getattr(image, "tag_v2", {}).get(_PHOTOMETRIC) == _WHITE_IS_ZERO)
    return False


def _values(image: PIL.Image.Image) -> Iterator[tuple[slice, Array]]:
    for rows, strip in _strips(image):
        yield rows, np.asarray(strip)


def is_deep_gray(image: PIL.Image.Image) -> bool:
    """Whether the image has one channel of integers or floats that Pillow does not scale."""
    return image.mode.startswith(("I", "F"))


def bits_of(image: PIL.Image.Image) -> int:
    """Bits per channel in the file of an image that is not loaded yet; 8 if they are unknown."""
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
    """The value of white in a gray image of more than 8 bits; None if it is unknown.

    It is the largest value of 16 bits, or of a TIFF's own number of bits, or a TIFF's declared
    largest sample; it is unknown in other 32-bit images. Pillow reads PNG and PPM of 16 bits in its
    mode I.
    """
    if image.mode.startswith("I;16"):
        return float(2 ** _tiff_bits(image) - 1)
    if image.mode == "I" and image.format in ("PNG", "PPM"):
        return 65535.0
    tags = getattr(image, "tag_v2", {})
    with suppress(Exception):  # tags of a damaged file
        for tag in (_S_MAX_SAMPLE_VALUE, _MAX_SAMPLE_VALUE):
            if tag in tags:
                value = tags[tag]
                declared = float(value[0] if isinstance(value, tuple) else value)
                return declared if 0 < declared < np.inf else None
    return None


def to_8_bits(values: Array, white: float) -> Array:
    """Values from 0 to white as 0 to 255, rounded."""
    return np.rint(values * (255 / white)).astype(np.uint8)


def checked_white(image: PIL.Image.Image, extremes: tuple[float, float], name: str) -> float:
    """The value of white. Raises: ImageError if it is unknown, or if a value is not between black
    and white."""
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
    """The beginning of the file, whose position is kept."""
    with suppress(Exception):
        file = image.fp  # type: ignore[attr-defined]  # of images from files alone
        position = file.tell()
        file.seek(0)
        start: bytes = file.read(_HEADER_BYTES)
        file.seek(position)
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


def losses_of_file(image: PIL.Image.Image) -> tuple[Loss, ...]:
    """Losses of reading the first frame of an image as 8-bit RGB. The image is open and not loaded
    yet."""
    losses = []
    count = frames_of(image)
    if count != 1:
        losses.append(_frames(image, count))
    if (bits := bits_of(image)) > 8:
        losses.append(
            Loss("bits", f"It has {bits} bits a channel, and the network sees 8 of them.")
        )
    return tuple(losses)


def losses_of_pixels(image: PIL.Image.Image) -> tuple[Loss, ...]:
    """Losses of dropping the transparency of a loaded image."""
    if not _see_through(image):
        return ()
    case = "It is transparent in places, and the colours stored there are what the network sees."
    return (Loss("transparency", case),)


def loss_of_range(brightest: float, white: float) -> tuple[Loss, ...]:
    """The loss of an image of more than 8 bits that uses less than half of its range, as 12 bits
    stored in 16 do."""
    if not 0 < brightest < white / 2:
        return ()
    case = (
        f"Its brightest value is {brightest:,g} of {white:,g}, so that it comes out dark: scale "
        f"it to 8 bits yourself."
    )
    return (Loss("range", case),)


def frames_of(image: PIL.Image.Image) -> int:
    """The number of frames or pages in the file, without thumbnails and gain maps; 0 for several
    of unknown number."""
    try:
        if not getattr(image, "is_animated", False):
            return 1
        count = int(image.n_frames)  # type: ignore[attr-defined]  # of formats with frames alone
    except Exception:  # what follows the first frame is damaged, but it is there
        return 0
    return _mpo_frames(image, count) if image.format == "MPO" else count


def _frames(image: PIL.Image.Image, count: int) -> Loss:
    noun = "pages" if image.format in _PAGES else "frames"
    if not count:
        return Loss("frames", f"It has several {noun}, and only the first is read.")
    return Loss("frames", f"It has {count:,} {noun}, and only the first is read.")


def _mpo_frames(image: PIL.Image.Image, count: int) -> int:
    """The number of frames, without previews of the first one and gain maps (for HDR)."""
    xmp = image.info.get("xmp", b"")
    if any(name in bytes(xmp).lower() for name in (word.encode() for word in _GAIN_MAPS)):
        return 1
    entries = getattr(image, "mpinfo", {}).get(0xB002, [])
    previews = sum(
        _THUMBNAIL in str(entry.get("Attribute", {}).get("MPType", "")) for entry in entries
    )
    return max(1, count - previews)


def _see_through(image: PIL.Image.Image) -> bool:
    if (band := image.getbands()[-1]) in ("A", "a"):  # LAB has an A as well, of another kind
        return bool(image.getchannel(band).getextrema()[0] < 255)  # type: ignore[operator]
    clear = image.info.get("transparency")
    if clear is None:
        return False
    if image.mode == "P":
        alphas = {clear: 0} if isinstance(clear, int) else dict(enumerate(clear))
        used = image.histogram()
        return any(
            alpha < 255 and index < len(used) and used[index] for index, alpha in alphas.items()
        )
    if image.mode in ("1", "L", "RGB") or is_deep_gray(image):
        return _has_color(image, clear)
    return False


def _has_color(image: PIL.Image.Image, color: object) -> bool:
    """Whether a pixel has the colour that a PNG declares as transparent: a gray, or three
    values."""
    target = np.atleast_1d(np.asarray(color))
    if target.shape != (len(image.getbands()),):
        return False
    for _, strip in _strips(image):
        gray = strip.convert("L") if strip.mode == "1" else strip  # whose white is 255
        values = np.asarray(gray).reshape(-1, len(target))
        if (values == target).all(1).any():
            return True
    return False
