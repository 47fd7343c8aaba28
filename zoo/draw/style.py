"""How thick and how large things are drawn: in proportion to the picture, and finer where it is crowded."""

from __future__ import annotations

import math
from dataclasses import dataclass

LINE_SHARE = 1 / 240  # of the side of a square as large as the picture
TEXT_SHARE = 1 / 40
ROOMY = 15  # so many boxes are drawn at full size


@dataclass(frozen=True)
class Style:
    """Pixels, all of them: width of a line and of the rim along it, height of letters, radius of a frame's and a chip's corners."""

    line: float
    text: float

    @property
    def rim(self) -> float:
        return max(0.6, self.line * 0.3)

    @property
    def chip_radius(self) -> float:
        return self.text * 0.22

    def for_box(self, width: float, height: float) -> tuple[float, float]:
        """Line and corner radius of a box of that size: a small one is not filled up by its own frame."""
        side = min(width, height)
        return min(self.line, max(1.0, side / 12)), min(2 * self.line, side / 4)


def style_for(height: int, width: int, *, count: int, line: float | None = None, text: float | None = None) -> Style:
    """The style for so many boxes on a picture of that size; `line` and `text` overrule it."""
    side = math.sqrt(height * width)
    calm = min(1.0, (ROOMY / max(count, 1)) ** 0.25)
    return Style(line or max(1.5, side * LINE_SHARE * calm), text or max(11.0, side * TEXT_SHARE * calm))
