"""Decodes images with Pillow: within limits, without its warnings, and upright by their EXIF
orientation."""

from __future__ import annotations

import ctypes
import logging
import math
import re
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import IO, Any, TypeAlias, cast

import PIL.Image
from PIL import ExifTags, UnidentifiedImageError, _imaging

from zoo.environment import IMAGE_LIMITS, image_limits
from zoo.errors import UsageError
from zoo.images.rgb import (
    Exif,
    Image,
    Loss,
    bytes_to_decode,
    losses_of_file,
    losses_of_pixels,
    planes_of,
)
from zoo.images.unreadable import (
    COPY_AGAIN,
    beyond,
    limit_of,
    no_image,
    undecodable,
    unreadable,
    wrong_limit,
)

Reserve: TypeAlias = Callable[[int], None]

# Pillow opens these, but calls other programs to draw them: Ghostscript, or the Windows shell.
_VECTOR_FORMATS = {"EPS", "WMF"}

MAX_SCANS = 100  # a progressive JPEG has about 10, and each costs a pass over all of its pixels
_SCAN = b"\xff\xda"  # SOS, which can't occur within the data of a scan

_INVERSE = {6: 8, 8: 6}  # of EXIF orientations; every other one is its own

_turns: dict[int, _Turn] = {}  # by the id of a PIL image
_turns_lock = threading.Lock()

# In the form of the entries of `warnings.filters`.
_IGNORED = ("ignore", None, Warning, re.compile(r"PIL\b"), 0)
# They replace libtiff's handlers, which print.
_LIBTIFF_SETTERS = ("TIFFSetErrorHandler", "TIFFSetWarningHandler")

_quiet_users = 0
_quiet_undo: list[Callable[[], None]] = []
_quiet_lock = threading.Lock()


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits for reading images; the error for an image beyond one names it, and others are still
    read.

    pixels:   width times height of one image; None is Pillow's own limit,
              `2 * PIL.Image.MAX_IMAGE_PIXELS` (179 million).
    memory:   bytes for all images that are being decoded or wait for the network. A single image
              is never refused for it, but waits until it is alone. An RGB image takes 7 bytes per
              pixel while it is decoded.
    seconds:  for reading one image, from opening it to its pixels; infinity means no limit.
    download: bytes of one image behind a URL.

    Raises: UsageError for a limit that is not a number above 0.
    """

    pixels: int | None = None
    memory: int = 10**9
    seconds: float = 60.0
    download: int = 256 * 2**20

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value is not None and not (_is_number(value) and value > 0):
                raise wrong_limit(f"limits={name}={value!r} was given.", name)

    @property
    def most_pixels(self) -> float:
        """The limit of pixels in force."""
        if self.pixels is not None:
            return self.pixels
        return 2 * PIL.Image.MAX_IMAGE_PIXELS if PIL.Image.MAX_IMAGE_PIXELS else math.inf

    @classmethod
    def in_force(cls, limits: Limits | None = None) -> Limits:
        """The given limits, or else those of the environment: `ZOO_IMAGE_PIXELS`, `_MEMORY`,
        `_SECONDS` and `_DOWNLOAD`.

        Raises: UsageError if a variable is not a number above 0.
        """
        if limits is not None:
            return limits
        values: dict[str, Any] = {
            name: limit_of(text, name, IMAGE_LIMITS[name]) for name, text in image_limits().items()
        }
        return cls(**values)

    def changed(self, typed: Sequence[str]) -> Limits:
        """These limits with others in the form of `--limit`: `memory=4G`, `seconds=300`; k, M and G
        are 10**3, 10**6 and 10**9.

        Raises: UsageError for invalid values.
        """
        values: dict[str, Any] = {}
        for option in typed:
            name, equals, text = option.partition("=")
            if name not in IMAGE_LIMITS or not equals:
                case = f"It is not NAME=NUMBER with a name of {', '.join(IMAGE_LIMITS)}."
                raise UsageError(
                    f"--limit '{option:.80}' was given.",
                    case,
                    "Write for example --limit memory=4G",
                )
            values[name] = limit_of(text, name, f"--limit {name}")
        return replace(self, **values)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value)


def decode(
    file: IO[bytes],
    name: str,
    *,
    exif: Exif = "apply",
    limits: Limits | None = None,
    reserve: Reserve | None = None,
) -> Image:
    """Decodes the first frame of an encoded image.

    reserve: called with the number of bytes before decoding allocates them; it may wait.

    Raises:
        ImageError: it is empty, cut short, damaged, beyond a limit, or not an image.
    """
    start = file.read(16)
    if not start:
        raise unreadable(name, "It is empty: 0 bytes.", COPY_AGAIN)
    file.seek(0)
    try:
        limits = Limits.in_force(limits)
        with quiet(pixels=limits.pixels), PIL.Image.open(file) as image:
            _check(image, name, limits)
            _check_scans(image, file, name)
            lost = losses_of_file(image)
            animated = bool(lost) and lost[0].kind == "frames"
            return _pixels(image, name, exif, reserve, lost, animated=animated)
    except UnidentifiedImageError:
        raise no_image(name, start) from None
    except Exception as error:  # parsers raise anything on damaged data: OSError, struct.error, …
        raise undecodable(name, error) from error


def from_pil(
    image: PIL.Image.Image,
    name: str,
    *,
    exif: Exif = "apply",
    limits: Limits | None = None,
    reserve: Reserve | None = None,
) -> Image:
    """Converts the current frame of a PIL image, which is loaded if it was only opened, and not
    changed otherwise.

    Raises:
        ImageError: its file is cut short or damaged, it is beyond a limit or has no pixels.
    """
    try:
        # An image may be in a list twice, and two threads must not load it at the same time.
        with quiet(), _alone(image):
            _check(image, name, Limits.in_force(limits))
            lost = tuple(loss for loss in losses_of_file(image) if loss.kind != "frames")
            return _pixels(image, name, exif, reserve, lost)
    except Exception as error:
        raise undecodable(name, error) from error


@contextmanager
def _alone(image: PIL.Image.Image) -> Iterator[None]:
    """Lets one thread at a time use a PIL image."""
    with _turns_lock:
        turn = _turns.setdefault(id(image), _Turn())
        turn.users += 1
    try:
        with turn.lock:
            yield
    finally:
        with _turns_lock:
            turn.users -= 1
            if not turn.users:
                del _turns[id(image)]


def _check(image: PIL.Image.Image, name: str, limits: Limits) -> None:
    """Raises: ImageError for an image that must not be decoded."""
    if image.format in _VECTOR_FORMATS:
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
    """Raises: ImageError for a JPEG whose number of scans would make decoding it take minutes."""
    if image.format not in ("JPEG", "MPO"):
        return
    position = file.tell()
    if has_one_scan(image, file):
        return
    file.seek(0)
    frames = int(getattr(image, "n_frames", 1))
    scans = sum(block.count(_SCAN) for block in iter(lambda: file.read(2**20), b""))
    file.seek(position)
    if scans > MAX_SCANS * frames:
        case = (
            f"It is a JPEG of {scans:,} scans, each a pass over all of its pixels; {MAX_SCANS} "
            f"are decoded at most."
        )
        raise unreadable(
            name, case, "If you trust it, save it again with another program; if not, leave it out."
        )


def has_one_scan(image: PIL.Image.Image, file: IO[bytes]) -> bool:
    """Whether the scan whose header Pillow has just read has all channels of a JPEG that is not
    progressive."""
    position, channels = file.tell(), len(image.getbands())
    file.seek(max(position - 8 - 2 * channels, 0))
    header = file.read(5)
    file.seek(position)
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
    """Decodes an image, and turns it by its EXIF orientation."""
    if reserve:
        reserve(bytes_to_decode(image))
    orientation, turn = _load(image, exif)
    pixels, dark = planes_of(image, name, turn)
    return Image(pixels, name, orientation, animated, (*lost, *dark, *losses_of_pixels(image)))


def _load(image: PIL.Image.Image, exif: Exif) -> tuple[int, int]:
    """Loads an image; returns its EXIF orientation, and the one by which its pixels must still be
    turned."""
    orientation = orientation_of(image)
    image.load()
    # Pillow turns TIFF files upright by itself, and removes the tag.
    remaining = orientation_of(image)
    if exif == "apply":
        return orientation, remaining
    if remaining != orientation:  # Pillow turned it upright, which is undone
        return orientation, _INVERSE.get(orientation, orientation)
    return orientation, 1


def orientation_of(image: PIL.Image.Image) -> int:
    """The EXIF orientation; 1 if it is missing or invalid, as in web browsers."""
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:
        return 1
    return value if value in range(1, 9) else 1


@contextmanager
def quiet(*, pixels: int | None = None) -> Iterator[None]:
    """Suppresses warnings of Pillow's modules and output of libtiff while any thread is inside.

    Filters and handlers belong to the process and not to a thread: the first thread inside sets
    them, and the last one restores them.

    pixels: if it is more than Pillow's own limit, that is raised to it.
    """
    global _quiet_users
    with _quiet_lock:
        _quiet_users += 1
        if _quiet_users == 1:
            _quiet_undo.append(_without_warnings())
            _quiet_undo.extend(_without_prints())
            _quiet_undo.extend(_without_logs())
        if pixels and PIL.Image.MAX_IMAGE_PIXELS and pixels > 2 * PIL.Image.MAX_IMAGE_PIXELS:
            _quiet_undo.append(
                partial(setattr, PIL.Image, "MAX_IMAGE_PIXELS", PIL.Image.MAX_IMAGE_PIXELS)
            )
            PIL.Image.MAX_IMAGE_PIXELS = pixels
    try:
        yield
    finally:
        with _quiet_lock:
            _quiet_users -= 1
            while not _quiet_users and _quiet_undo:
                _quiet_undo.pop()()


def _without_warnings() -> Callable[[], None]:
    # Inserted by hand: filterwarnings would also reset which warnings have been shown once, and
    # show all of them again.
    entered = _filters()
    entered.insert(0, _IGNORED)

    def undo() -> None:
        # A catch_warnings elsewhere may have replaced the list in between.
        for filters in (entered, _filters()):
            with suppress(ValueError):
                filters.remove(_IGNORED)

    return undo


def _filters() -> list[tuple[object, ...]]:
    return cast("list[tuple[object, ...]]", warnings.filters)


def _without_prints() -> Iterator[Callable[[], None]]:
    for setter in _libtiff():
        before = setter(None)
        yield lambda setter=setter, before=before: setter(before)  # type: ignore[misc]


def _without_logs() -> Iterator[Callable[[], None]]:
    logger = logging.getLogger("PIL.TiffImagePlugin")  # the only one that logs errors
    if not logger.disabled:
        logger.disabled = True
        yield partial(setattr, logger, "disabled", False)


@cache
def _libtiff() -> tuple[Any, ...]:
    """The functions that set libtiff's handlers, found through Pillow's own module; empty if there
    are none."""
    try:
        library = ctypes.CDLL(_imaging.__file__)
        setters = [getattr(library, name) for name in _LIBTIFF_SETTERS]
    except (OSError, AttributeError, TypeError):
        return ()
    for setter in setters:
        setter.argtypes, setter.restype = [ctypes.c_void_p], ctypes.c_void_p
    return tuple(setters)


@dataclass
class _Turn:
    """The lock of one PIL image, and the number of threads that use or want it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    users: int = 0
