"""Decodes images with Pillow: every mode to RGB, upright, within limits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, TypeAlias

import PIL.Image
from PIL import ExifTags, UnidentifiedImageError

from zoo.errors import ImageError, ZooError
from zoo.images import lost_content as losses
from zoo.images.image import Exif, Image, Loss, beyond, unreadable
from zoo.images.limits import Limits
from zoo.images.planes import bytes_to_decode, planes_of
from zoo.images.quiet import quiet

Reserve: TypeAlias = Callable[[int], None]

AGAIN = "Copy or download it again."
SMALLER = "Make the image smaller, or leave it out."
MOST_SCANS = 100  # a progressive JPEG has about 10, and each costs a pass over all of its pixels


@dataclass
class _Turn:
    """Whose turn it is with one PIL image, and how many threads want it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    users: int = 0


# Pillow opens these, but has another program draw them: Ghostscript, or the Windows shell.
_DRAWN = {"EPS", "WMF"}
_INVERSE = {6: 8, 8: 6}
_lock = threading.Lock()
_turns: dict[int, _Turn] = {}
_SCAN = b"\xff\xda"  # SOS, which can't stand within the data of a scan


def decode(
    file: IO[bytes],
    name: str,
    *,
    exif: Exif = "apply",
    limits: Limits | None = None,
    reserve: Reserve | None = None,
) -> Image:
    """The first frame of an encoded image.

    reserve: called with the bytes that decoding takes before they are taken; it may wait.

    Raises:
        ImageError: it is empty, cut short, damaged, beyond a limit, or no image.
    """
    start = file.read(16)
    if not start:
        raise unreadable(name, "It is empty: 0 bytes.", AGAIN)
    file.seek(0)
    try:
        limits = Limits.in_force(limits)
        with quiet(pixels=limits.pixels), PIL.Image.open(file) as image:
            _check(image, name, limits)
            _check_scans(image, file, name)
            lost = losses.of_file(image)
            animated = bool(lost) and lost[0].kind == "frames"
            return _pixels(image, name, exif, reserve, lost, animated=animated)
    except UnidentifiedImageError:
        raise _no_image(name, start) from None
    # a parser that meets garbage raises whatever it stumbles over: OSError, SyntaxError,
    # struct.error
    except Exception as error:
        raise _refused(name, error) from error


def from_pil(
    image: PIL.Image.Image,
    name: str,
    *,
    exif: Exif = "apply",
    limits: Limits | None = None,
    reserve: Reserve | None = None,
) -> Image:
    """A PIL image at its current frame. One that was opened and not loaded yet gets loaded; nothing
    else in it changes.

    Raises:
        ImageError: its file is cut short or damaged, it is beyond a limit or has no pixels.
    """
    try:
        with (
            quiet(),
            _alone(image),
        ):  # one image may stand in a list twice, and two threads must not load it at once
            _check(image, name, Limits.in_force(limits))
            lost = tuple(loss for loss in losses.of_file(image) if loss.kind != "frames")
            return _pixels(image, name, exif, reserve, lost)
    except Exception as error:
        raise _refused(name, error) from error


@contextmanager
def _alone(image: PIL.Image.Image) -> Iterator[None]:
    """One thread at a time has that image."""
    with _lock:
        turn = _turns.setdefault(id(image), _Turn())
        turn.users += 1
    try:
        with turn.lock:
            yield
    finally:
        with _lock:
            turn.users -= 1
            if not turn.users:
                del _turns[id(image)]


def _check(image: PIL.Image.Image, name: str, limits: Limits) -> None:
    """Raises: ImageError for what is not to be decoded."""
    if image.format in _DRAWN:
        raise unreadable(
            name,
            f"It is {image.format}, a drawing, not pixels.",
            "Convert it to PNG in the size you want.",
        )
    pixels = image.width * image.height
    if not pixels:
        raise unreadable(
            name, f"It has no pixels: {image.width} x {image.height}.", "Pass at least one pixel."
        )
    if pixels > limits.most_pixels:
        case = (
            f"It is {image.width} x {image.height} pixels; the limit is {limits.most_pixels:,.0f}."
        )
        raise beyond("pixels", name, case)


def _check_scans(image: PIL.Image.Image, file: IO[bytes], name: str) -> None:
    """Raises: ImageError for a JPEG that takes a pass over its pixels thousands of times."""
    if image.format not in ("JPEG", "MPO"):
        return
    place = file.tell()
    if _has_one_scan(image, file):
        return
    file.seek(0)
    frames = int(getattr(image, "n_frames", 1))
    scans = sum(block.count(_SCAN) for block in iter(lambda: file.read(2**20), b""))
    file.seek(place)
    if scans > MOST_SCANS * frames:
        case = (
            f"It is a JPEG of {scans:,} scans, each a pass over all of its pixels; {MOST_SCANS} "
            f"are decoded at most."
        )
        raise unreadable(
            name, case, "If you trust it, save it again with another program; if not, leave it out."
        )


def _has_one_scan(image: PIL.Image.Image, file: IO[bytes]) -> bool:
    """Whether the scan whose header Pillow has just read has all channels of a JPEG that is not
    progressive."""
    place, channels = file.tell(), len(image.getbands())
    file.seek(max(place - 8 - 2 * channels, 0))
    header = file.read(5)
    file.seek(place)
    return "progressive" not in image.info and header == bytes(
        [*_SCAN, 0, 6 + 2 * channels, channels]
    )


def _pixels(
    image: PIL.Image.Image,
    name: str,
    exif: Exif,
    reserve: Reserve | None,
    lost: tuple[Loss, ...],
    *,
    animated: bool = False,
) -> Image:
    """Decodes, and turns as EXIF says."""
    if reserve:
        reserve(bytes_to_decode(image))
    found, turn = _load(image, exif)
    pixels, dark = planes_of(image, name, turn)
    return Image(pixels, name, found, animated, (*lost, *dark, *losses.of_pixels(image)))


def _load(image: PIL.Image.Image, exif: Exif) -> tuple[int, int]:
    """Decode; say which EXIF orientation was found, and which one the pixels still have to be
    turned by."""
    found = _orientation(image)
    image.load()
    left = _orientation(image)  # Pillow turns TIFF files upright by itself and takes the tag away
    if exif == "apply":
        return found, left
    return found, 1 if left == found else _INVERSE.get(found, found)


def _orientation(image: PIL.Image.Image) -> int:
    """The EXIF orientation, 1 where there is none or where it can't be understood (as web browsers
    have it)."""
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:
        return 1
    return value if value in range(1, 9) else 1


def _no_image(name: str, start: bytes) -> ImageError:
    if start[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1"):
        fix = "pip install pillow-heif, then call pillow_heif.register_heif_opener() once."
        return unreadable(name, "It is HEIF, which Pillow reads with a plugin only.", fix)
    case = f"It is not an image that Pillow knows; it starts with {start!r}."
    return unreadable(name, case, "Convert it to JPEG or PNG, or leave it out.")


def _refused(name: str, error: Exception) -> Exception:
    if isinstance(error, ZooError):
        return error
    if isinstance(error, PIL.Image.DecompressionBombError):
        return beyond(
            "pixels", name, f"It is too large to decode unasked. {str(error).rstrip('.')}."
        )
    if isinstance(error, MemoryError):
        return unreadable(name, "There is not enough memory to decode it.", SMALLER)
    reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    return unreadable(name, f"It is damaged or cut short: {reason:.300}.", AGAIN)
