"""Fonts for names of any script, in images and in plots: which files have the letters of a name."""

from __future__ import annotations

import os
import sys
import unicodedata
import warnings
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from PIL import ImageFont

from zoo import environment
from zoo.environment import expand_home
from zoo.errors import UsageError
from zoo.files import check_regular

Letters = ImageFont.FreeTypeFont | ImageFont.ImageFont

MAX_LETTERS_SHOWN = 20  # letters that a warning repeats
MOST_FONTS = 2000  # looked at on a system with more

_SUFFIXES = (".ttf", ".otf", ".ttc")
_PROBE = 24  # pixels, to see what a letter looks like
_NOWHERE = "\U0010ffff"  # which no font has
_PLAIN = ("sans", "dejavu", "arial", "gothic", "hei", "pingfang", "hiragino", "malgun", "fallback")
_STYLED = (
    "bold",
    "italic",
    "oblique",
    "mono",
    "condensed",
    "light",
    "thin",
    "black",
    "serif",
    "emoji",
    "symbol",
)
_SQUARES = ("lastresort", "last resort")  # fonts with a square for every letter there is


class FontWarning(UserWarning):
    """Letters of names are in no font at hand."""


def letters_of(size: int, font: str | Path | None) -> Letters:
    """The font in that file, or the one that Pillow brings, in that size.

    Raises: UsageError where there is none.
    """
    try:
        return cached_letters(size, font)
    except OSError as error:
        case = f"No font can be read there: {error.strerror or error}."
        fix = "Pass the path of a .ttf, .otf or .ttc file."
        raise UsageError(f"Names can't be written in the font '{font}'.", case, fix) from error


def warn_of(case: str, missing: Sequence[str], *, then: str = "", stacklevel: int = 3) -> None:
    """Warns of letters that are in no font, a few of them by name.

    case: what is said before them. then: what becomes of them.
    """
    shown = " ".join(_visible(letter) for letter in missing[:MAX_LETTERS_SHOWN])
    more = (
        f" and {len(missing) - MAX_LETTERS_SHOWN} more" if len(missing) > MAX_LETTERS_SHOWN else ""
    )
    fix = 'Name a font file that has them: font="NotoSansCJK-Regular.ttc", or --font.'
    warnings.warn(f"{case}: {shown}{more}.{then} {fix}", FontWarning, stacklevel=stacklevel)


def _visible(letter: str) -> str:
    return letter if letter.isprintable() else f"U+{ord(letter):04X}"


@lru_cache(maxsize=64)
def cached_letters(size: int, font: str | Path | None) -> Letters:
    return ImageFont.truetype(check_regular(font), size) if font else ImageFont.load_default(size)


@lru_cache(maxsize=65536)
def has(font: str | Path | None, letter: str) -> bool:
    """Whether the font has the letter: else it draws what it draws for one that does not exist.

    Raises: UsageError if the file is not a font.
    """
    if letter.isspace() or unicodedata.category(letter) == "Cf":  # nothing of them is seen
        return True
    return _glyph(font, letter) != _glyph(font, _NOWHERE)


def _glyph(font: str | Path | None, letter: str) -> tuple[object, bytes]:
    mask = letters_of(_PROBE, font).getmask(letter)
    return mask.size, bytes(mask)


@lru_cache(maxsize=1024)
def of_system(letters: frozenset[str]) -> str | None:
    """The first font of the system that has all of them."""
    rarest_first = sorted(letters, reverse=True)
    for path in system_fonts():
        if all(_may_have(path, letter) for letter in rarest_first):
            return path
    return None


def covering(letters: Iterable[str]) -> tuple[list[str], set[str]]:
    """Font files of the system that together have the letters, and the letters that none has."""
    files: list[str] = []
    missing = set(letters)
    for path in system_fonts():
        if not missing:
            break
        if covered := {letter for letter in missing if _may_have(path, letter)}:
            files.append(path)
            missing -= covered
    return files, missing


def _may_have(path: str, letter: str) -> bool:
    try:
        return has(path, letter)
    except (UsageError, OSError):  # damaged, or of bitmaps in one size
        return False


@lru_cache(maxsize=1)
def system_fonts() -> tuple[str, ...]:
    """The font files in the system's own folders, plain upright ones without serifs first."""
    paths = (
        os.path.join(folder, file)
        for root in font_folders()
        for folder, _, files in os.walk(root)
        for file in files
        if file.lower().endswith(_SUFFIXES)
    )
    real = (path for path in paths if not os.path.basename(path).lower().startswith(_SQUARES))
    return tuple(sorted(real, key=_plainness)[:MOST_FONTS])


def _plainness(path: str) -> tuple[int, bool, int, str]:
    name = os.path.basename(path).lower()
    return (
        sum(word in name for word in _STYLED),
        not any(word in name for word in _PLAIN),
        len(name),
        name,
    )


def font_folders() -> Iterator[Path]:
    """Where systems keep fonts."""
    home = expand_home("~")
    if sys.platform == "win32":
        yield environment.windows_folder() / "Fonts"
        yield home / "AppData" / "Local" / "Microsoft" / "Windows" / "Fonts"
    elif sys.platform == "darwin":
        yield from (
            home / "Library" / "Fonts",
            Path("/Library/Fonts"),
            Path("/System/Library/Fonts"),
        )
    else:
        yield from (home / ".fonts", *environment.font_folders())
