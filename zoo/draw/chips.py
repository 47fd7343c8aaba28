"""Chips: the little plates that name a detection, as text masks and the sizes of the plates around them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

FAINT = 200  # of 255: the score stands back a little behind the name


@dataclass(frozen=True, eq=False)
class Chip:
    """Text of one detection: its mask `(height, width)` in [0, 1], with the padding around it."""

    mask: NDArray[np.float32]

    @property
    def width(self) -> int:
        return self.mask.shape[1]

    @property
    def height(self) -> int:
        return self.mask.shape[0]


def chip(name: str, score: str, *, size: float, most: int, font: str | Path | None = None) -> Chip:
    """The name, and the score behind it, in letters of `size` pixels; a name that is wider than `most` pixels is cut with `…`."""
    return _chip(" ".join(name.split()), score, round(size), most, font)


@lru_cache(maxsize=512)
def _chip(name: str, score: str, size: int, most: int, font: str | Path | None) -> Chip:
    letters = letters_of(size, font)
    beside, gap = round(size * 0.42), round(size * 0.36) if score and name else 0
    name = _fit(name, letters, most - 2 * beside - gap - round(letters.getlength(score)))
    wide, narrow = round(letters.getlength(name)), round(letters.getlength(score))
    rise, fall = letters.getmetrics()
    height = round(rise + fall * 0.9)
    mask = Image.new("L", (2 * beside + wide + gap + narrow, height))
    pen = ImageDraw.Draw(mask)
    baseline = round(height / 2 + size * 0.36)
    pen.text((beside, baseline), name, fill=255, font=letters, anchor="ls")
    pen.text((beside + wide + gap, baseline), score, fill=FAINT, font=letters, anchor="ls")
    return Chip(np.asarray(mask, dtype=np.float32) / 255)


@lru_cache(maxsize=32)
def letters_of(size: int, font: str | Path | None) -> ImageFont.FreeTypeFont:
    """The font of that file, or the one that Pillow brings, in that size."""
    loaded = ImageFont.truetype(font, size) if font else ImageFont.load_default(size)
    assert isinstance(loaded, ImageFont.FreeTypeFont)
    return loaded


def _fit(text: str, letters: ImageFont.FreeTypeFont, room: float) -> str:
    if letters.getlength(text) <= room:
        return text
    kept = len(text)
    while kept and letters.getlength(text[:kept] + "…") > room:
        kept -= 1
    return text[:kept] + "…"
