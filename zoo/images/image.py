"""An image in memory, what reading it lost, the limits of reading one, and the errors for images
that can't be read."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import PIL.Image
from torch import Tensor

from zoo import environment
from zoo.environment import IMAGE_LIMITS
from zoo.errors import ImageError, UsageError

Array: TypeAlias = np.ndarray[Any, Any]
Exif: TypeAlias = Literal["apply", "ignore"]

_NUMBER = re.compile(r"(\d+(?:\.\d*)?(?:e\d+)?)\s*([kmg]?)", re.IGNORECASE)
_UNIT = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}
_EXAMPLES = {"pixels": "400M", "memory": "4G", "seconds": "300", "download": "1G"}


class Loss(NamedTuple):
    """One thing that a file has and the pixels read from it have not.

    kind: `frames`, `bits`, `range` or `transparency`. case: a sentence about the image.
    """

    kind: str
    case: str


@dataclass(frozen=True, eq=False)
class Image:
    """Pixels, and where they come from; frozen, and nobody writes into the pixels.

    pixels:      (3, height, width) uint8 RGB, contiguous.
    source:      the file or URL as it was given, or `image 3`: its position, counted from 0.
    orientation: the EXIF orientation that was found, 1..8; 1 is upright, and what an image without
        EXIF has.
    animated:    the file holds more frames or pages; these are the pixels of the first.
    lost:        what reading lost: further frames or pages, depth beyond 8 bits, transparency.
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
    """An image could not be read and was left out, or could be read in part only."""


def unreadable(source: str, case: str, fix: str, *, fix_cli: str | None = None) -> ImageError:
    """The error for an image that can't be read."""
    return ImageError(f"Image '{source}' can't be read.", case, fix, fix_cli=fix_cli, file=source)


def beyond(limit: str, source: str, case: str) -> ImageError:
    """The error for an image that is beyond a limit."""
    fix, fix_cli = raising(limit)
    return unreadable(source, case, fix, fix_cli=fix_cli)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits for reading images; an image beyond one is refused by name, and the others go on.

    pixels:   width times height of one image; None is Pillow's own limit,
              `2 * PIL.Image.MAX_IMAGE_PIXELS` (179 million).
    memory:   bytes that the images being decoded and waiting may take together. One image alone is
              never refused for it: it waits for its turn. An RGB image takes 7 bytes per pixel
              while it is decoded.
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
                raise _refused(f"limits={name}={value!r} was given.", name)

    @property
    def most_pixels(self) -> float:
        """The limit of pixels in force."""
        if self.pixels is not None:
            return self.pixels
        return 2 * PIL.Image.MAX_IMAGE_PIXELS if PIL.Image.MAX_IMAGE_PIXELS else math.inf

    @classmethod
    def in_force(cls, given: Limits | None = None) -> Limits:
        """The limits given, or those of the environment: `ZOO_IMAGE_PIXELS`, `_MEMORY`, `_SECONDS`
        and `_DOWNLOAD`.

        Raises: UsageError if a variable is not a number above 0.
        """
        if given is not None:
            return given
        values: dict[str, Any] = {
            name: _parsed(text, name, IMAGE_LIMITS[name])
            for name, text in environment.image_limits().items()
        }
        return cls(**values)

    def changed(self, typed: Sequence[str]) -> Limits:
        """These with others as `--limit` takes them: `memory=4G`, `seconds=300`; k, M and G are
        10**3, 10**6 and 10**9.

        Raises: UsageError for other values.
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
            values[name] = _parsed(text, name, f"--limit {name}")
        return replace(self, **values)


def raising(name: str) -> tuple[str, str]:
    """Advice for a higher limit, in Python and in the shell."""
    example = _EXAMPLES[name]
    value = f"{_parsed(example, name):_}"
    keyword, variable = f"limits=zoo.images.Limits({name}={value})", IMAGE_LIMITS[name]
    raised = "If you trust it, raise the limit:"
    return f"{raised} {keyword}, or {variable}={example}", f"{raised} --limit {name}={example}"


def _parsed(text: str, name: str, typed: str = "") -> float | int:
    number = _NUMBER.fullmatch(text.strip())
    value = float(number[1]) * _UNIT[number[2].lower()] if number else 0.0
    if not 0 < value < 1e18:
        raise _refused(f"{typed}={text:.80} was given.", name)
    return value if name == "seconds" else int(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value)


def _refused(asked: str, name: str) -> UsageError:
    example = _EXAMPLES[name]
    case = f"The limit '{name}' is a number above 0."
    return UsageError(
        asked,
        case,
        f"Write for example --limit {name}={example}, or {IMAGE_LIMITS[name]}={example}",
    )
