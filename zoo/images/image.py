"""An image in memory, what reading it lost, and the errors for unreadable ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from torch import Tensor

from zoo.errors import ImageError
from zoo.images.limits import raising

Exif: TypeAlias = Literal["apply", "ignore"]


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
