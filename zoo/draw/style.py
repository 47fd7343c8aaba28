"""Sizes of lines and letters: in proportion to the image, and finer if it is crowded."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real

from zoo.errors import UsageError

LINE_SHARE = 1 / 240  # of the side of a square as large as the image
TEXT_SHARE = 1 / 40
MAX_PIXELS = 10_000  # of a line or of letters
MAX_BOXES_AT_FULL_SIZE = 15  # more boxes have finer lines and letters


@dataclass(frozen=True)
class Style:
    """Sizes in pixels: the width of lines, the height of letters, and what follows from these."""

    line: int
    text: int

    @property
    def rim(self) -> float:
        """Width of the contrasting edge along lines and chips."""
        return max(1.0, self.line * 0.3)

    @property
    def chip_radius(self) -> float:
        """Radius of a chip's corners."""
        return self.text * 0.22

    def within(self, side: float) -> Style:
        """The style for a box whose shorter side is that long: its frame must not fill a small
        box."""
        return Style(min(self.line, max(1, round(side / 8))), self.text)

    def radius(self, side: float) -> float:
        """Radius of the corners of a frame whose shorter side is that long."""
        return min(2.0 * self.line, side / 4)


def style_for(
    height: int, width: int, *, count: int, line: float | None = None, text: float | None = None
) -> Style:
    """The style for a number of boxes on an image of that size; `line` and `text` override it.
    Sizes are whole pixels, so that lines are crisp.

    Raises: UsageError for a size that is not a number above 0.
    """
    _check_size("line", line)
    _check_size("text", text)
    side = math.sqrt(height * width)
    calm = min(1.0, (MAX_BOXES_AT_FULL_SIZE / max(count, 1)) ** 0.25)
    line = line or max(1.5, side * LINE_SHARE) * calm
    text = text or max(11.0, side * TEXT_SHARE * calm)
    return Style(max(1, round(line)), max(1, round(text)))


def _check_size(name: str, size: float | None) -> None:
    """Raises: UsageError unless the size is a valid number of pixels."""
    if size is None:
        return
    number = isinstance(size, Real) and not isinstance(size, bool)
    if not number or not 0 < size < MAX_PIXELS:  # NaN fails as well
        case = f"It is a number of pixels, above 0 and below {MAX_PIXELS:,}."
        fix = f"Write for example {name}=12, or leave it out."
        raise UsageError(f"{name}={size!r:.60} can't be used.", case, fix)
