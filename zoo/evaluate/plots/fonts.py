"""Fonts for names in plots: the one given, matplotlib's own, or installed ones that have the letters; what none has is told."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from zoo.errors import UsageError
from zoo.files import check_regular

if TYPE_CHECKING:
    from pathlib import Path

OWN = "DejaVu Sans"  # which matplotlib brings
SHOWN = 10  # letters that a message repeats
_PLAIN = ("sans cjk", "heiti", "pingfang", "yahei", "hiragino", "gothic", "hei", "fallback", "noto sans", "sans", "arial")
_NO_FONT = ("last resort",)  # a square for every letter there is


class FontWarning(UserWarning):
    """Letters of names in plots are in no font at hand."""


@contextmanager
def fonts_for(names: Iterable[str], font: str | Path | None) -> Iterator[None]:
    """While it lasts, matplotlib writes these names in fonts that have their letters, and takes no `$` for a formula.

    Raises: UsageError where `font` is no font file.
    """
    import matplotlib  # deferred: an extra

    letters = {letter for name in names for letter in name if letter.isprintable() and not letter.isspace()}
    families, missing = _families(letters, font)
    if missing:
        _tell(missing)
    with matplotlib.rc_context({"font.family": families, "text.parse_math": False}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph \d+")  # the same, once a figure
        yield


def _families(letters: set[str], font: str | Path | None) -> tuple[list[str], set[str]]:
    """The families to look for a letter in, in order; and the letters that none of them has."""
    from matplotlib import font_manager  # deferred: an extra

    families, missing = ([added(font)], letters - _letters_of(os.fspath(font))) if font is not None else ([], set(letters))
    own = font_manager.findfont(OWN)
    families, missing = [*families, OWN], missing - _letters_of(own)
    for name, path in _installed() if missing else ():
        if found := missing & _letters_of(path):
            families, missing = [*families, name], missing - found
        if not missing:
            break
    return families, missing


def added(font: str | Path) -> str:
    """The family of a font file, which matplotlib knows then. Raises: UsageError where it is none."""
    from matplotlib import font_manager

    try:
        check_regular(font)
        font_manager.fontManager.addfont(font)
        return str(font_manager.FontProperties(fname=os.fspath(font)).get_name())
    except (OSError, RuntimeError, ValueError) as error:
        case = f"No font can be read there: {getattr(error, 'strerror', None) or error}."
        raise UsageError(
            f"Plots can't be written in the font '{font}'.", case, "Pass the path of a .ttf, .otf or .ttc file."
        ) from None


@lru_cache(maxsize=256)
def _letters_of(path: str) -> frozenset[str]:
    """The letters that a font has; none where it can't be read."""
    from matplotlib import font_manager

    try:
        made: Any = font_manager.get_font(path)
        return frozenset(map(chr, made.get_charmap()))
    except (OSError, RuntimeError, ValueError):
        return frozenset()


def _installed() -> list[tuple[str, str]]:
    """Family and file of each font of the system, plain ones first."""
    from matplotlib import font_manager

    def rank(one: tuple[str, str]) -> tuple[int, str]:
        name = one[0].lower()
        return next((place for place, word in enumerate(_PLAIN) if word in name), len(_PLAIN)), name

    found = {one.name: one.fname for one in font_manager.fontManager.ttflist if one.style == "normal"}
    return sorted(((name, path) for name, path in found.items() if not name.lower().startswith(_NO_FONT)), key=rank)


def _tell(missing: set[str]) -> None:
    some = sorted(missing)
    shown = " ".join(some[:SHOWN]) + (f" and {len(some) - SHOWN} more" if len(some) > SHOWN else "")
    warnings.warn(
        f"No font here has these letters of names in plots: {shown}. "
        'Name a font file that has them: font="NotoSansCJK-Regular.ttc", or --font.',
        FontWarning,
        stacklevel=4,
    )
