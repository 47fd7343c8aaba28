"""Fonts for names in plots: the one given, matplotlib's own, or installed ones that have the
letters; what none has is told."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from zoo.errors import UsageError
from zoo.fonts import FontWarning as FontWarning
from zoo.fonts import covering, has, letters_of, warn_of

if TYPE_CHECKING:
    from pathlib import Path

OWN = "DejaVu Sans"  # which matplotlib brings
PROBE = 12  # pixels


@contextmanager
def fonts_for(names: Iterable[str], font: str | Path | None) -> Iterator[None]:
    """While it lasts, matplotlib writes these names in fonts that have their letters, and takes no
    `$` for a formula.

    Raises: UsageError if `font` is not a font file.
    """
    import matplotlib  # deferred: an extra

    letters = {
        letter for name in names for letter in name if letter.isprintable() and not letter.isspace()
    }
    families, missing = families_for(letters, font)
    if missing:
        warn_of("No font here has these letters of names in plots", sorted(missing), stacklevel=5)
    with (
        matplotlib.rc_context({"font.family": families, "text.parse_math": False}),
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", message=r"Glyph \d+")  # the same, once a figure
        yield


def families_for(letters: set[str], font: str | Path | None) -> tuple[list[str], set[str]]:
    """The families to look for a letter in, in order; and the letters that none of them has."""
    from matplotlib import font_manager  # deferred: an extra

    families = [] if font is None else [_register(font)]
    families.append(OWN)
    first_files = [file for file in (font, font_manager.findfont(OWN)) if file is not None]
    files, missing = covering(
        letter for letter in letters if not any(has(file, letter) for file in first_files)
    )
    for file in files:
        try:
            families.append(_register(file))
        except UsageError:  # Pillow reads it, and matplotlib does not
            missing |= {letter for letter in letters if has(file, letter)}
    return families, missing


def _register(font: str | Path) -> str:
    """The family of a font file, which matplotlib knows then. Raises: UsageError where it is
    none."""
    from matplotlib import font_manager

    letters_of(PROBE, font)
    try:
        font_manager.fontManager.addfont(font)
        return str(font_manager.FontProperties(fname=os.fspath(font)).get_name())
    except (OSError, RuntimeError, ValueError) as error:
        failure = f"Plots can't be written in the font '{font}'."
        raise UsageError(
            failure, f"matplotlib can't read it: {error}.", "Name another font file."
        ) from None
