"""Chips: the little plates that name a detection, as masks of their letters."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from zoo.errors import ImageError

FAINT = 205  # of 255: the score stands back a little behind the name

Letters = ImageFont.FreeTypeFont | ImageFont.ImageFont


@lru_cache(maxsize=512)
def chip(name: str, score: str, *, size: int, most: int, font: str | Path | None = None) -> Image.Image:
    """The name, and the score behind it, in letters of `size` pixels, with the padding around them: an `L` image, 255 is ink.

    A name that would make it wider than `most` pixels is cut, with `…` at its end. Pillow's own font knows ASCII only: accents
    are dropped, and other scripts need a `font`.
    """
    letters = letters_of(size, font)
    pad, gap = round(size * 0.42), round(size * 0.36) if score else 0
    tail = round(letters.getlength(score))
    name = _fit(" ".join((name if font else _plain(name)).split()), letters, most - 2 * pad - gap - tail)
    head = round(letters.getlength(name))
    mask = Image.new("L", (min(2 * pad + head + gap + tail, most), round(size * 1.38)))
    pen = ImageDraw.Draw(mask)
    baseline = round(size * 1.04)
    pen.text((pad, baseline), name, fill=255, font=letters, anchor="ls")
    pen.text((pad + head + gap, baseline), score, fill=FAINT, font=letters, anchor="ls")
    return mask


@lru_cache(maxsize=32)
def letters_of(size: int, font: str | Path | None) -> Letters:
    """The font in that file, or the one that Pillow brings, in that size."""
    try:
        return ImageFont.truetype(font, size) if font else ImageFont.load_default(size)
    except OSError as why:
        asked = f"Class names were to be written in the font '{font}'."
        raise ImageError(asked, f"No font can be read there: {why}.", "Pass the path of a .ttf, .otf or .ttc file.") from why


def _plain(text: str) -> str:
    """The text without its accents."""
    return "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))


def _fit(text: str, letters: Letters, room: float) -> str:
    """As much of the text as there is room for."""
    if letters.getlength(text) <= room:
        return text
    kept = len(text)
    while kept and letters.getlength(text[:kept] + "…") > room:
        kept -= 1
    return text[:kept] + "…"
