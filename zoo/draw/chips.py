"""Draws chips, the small plates with class name and score, as masks of their letters."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import PIL.Image
from PIL import ImageDraw

from zoo.draw.fonts import drawable_name
from zoo.fonts import Letters, letters_of

SCORE_INK = 205  # of 255: the score is a little fainter than the name
# As a share of the letters' size; names that would be too long even so are cut before measuring.
MIN_LETTER_WIDTH = 0.1


@lru_cache(maxsize=512)
def chip(
    name: str, score: str, *, size: int, most: int, font: str | Path | None = None
) -> PIL.Image.Image:
    """Draws the name and the score behind it in letters of `size` pixels, with padding: an `L`
    image in which 255 is ink.

    A name that would make the chip wider than `most` pixels is cut, with `…` at its end. Letters
    that Pillow's own font lacks are drawn in `font`, or in a font of the system that has them
    (`fonts.drawable_name`).
    """
    pad, gap = round(size * 0.42), round(size * 0.36) if score else 0
    digits = letters_of(size, font)
    tail = round(digits.getlength(score))
    room = most - 2 * pad - gap - round(digits.getlength("0.00")) * bool(score)
    name, used = fit_name(name, size=size, room=room, font=font)
    letters = letters_of(size, used)
    head = round(letters.getlength(name))
    mask = PIL.Image.new("L", (max(min(2 * pad + head + gap + tail, most), 1), round(size * 1.38)))
    pen = ImageDraw.Draw(mask)
    baseline = round(size * 1.04)
    pen.text((pad, baseline), name, fill=255, font=letters, anchor="ls")
    pen.text((pad + head + gap, baseline), score, fill=SCORE_INK, font=digits, anchor="ls")
    return mask


@lru_cache(maxsize=4096)
def fit_name(
    name: str, *, size: int, room: int, font: str | Path | None
) -> tuple[str, str | Path | None]:
    """The name, cut to fit into `room` pixels, and the font for it."""
    longest = max(int(room / (MIN_LETTER_WIDTH * size)), 1)
    text, used = drawable_name(name[: longest + 1], font)
    letters = letters_of(size, used)
    if len(name) <= longest and letters.getlength(text) <= room:
        return text, used
    return _cut(text, letters, room), used


def _cut(text: str, letters: Letters, room: float) -> str:
    """The longest beginning of the text that fits with `…` behind it, by binary search."""
    fits, fails = 0, len(text) + 1
    while fails - fits > 1:
        middle = (fits + fails) // 2
        if letters.getlength(text[:middle].rstrip() + "…") <= room:
            fits = middle
        else:
            fails = middle
    return text[:fits].rstrip() + "…"
