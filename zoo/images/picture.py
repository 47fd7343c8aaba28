"""A picture in memory, and what is said when there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from torch import Tensor

from zoo.errors import ImageError

Exif: TypeAlias = Literal["apply", "ignore"]


@dataclass(frozen=True, eq=False)
class Picture:
    """Pixels, and where they come from; frozen, and nobody writes into the pixels.

    pixels:      (3, height, width) uint8 RGB, contiguous.
    source:      the file or URL as it was given, or `image 3`: its position, counted from 0.
    orientation: the EXIF orientation that was found, 1..8; 1 is upright, and what a picture without EXIF has.
    animated:    the file holds more frames or pages; these are the pixels of the first.
    """

    pixels: Tensor
    source: str
    orientation: int = 1
    animated: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self.pixels.shape[1], self.pixels.shape[2]


class ImageWarning(UserWarning):
    """A picture could not be read and was left out."""


def unreadable(source: str, case: str, fix: str) -> ImageError:
    """The error for a picture that can't be read."""
    return ImageError(f"Picture '{source}' was to be read.", case, fix, file=source)
