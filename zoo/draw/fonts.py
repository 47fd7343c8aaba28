"""The font for a class name: the one given, Pillow's own, or one of the system that has the letters; what none has is told."""

from __future__ import annotations

import os
import sys
import unicodedata
import warnings
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from PIL import ImageFont

from zoo.errors import UsageError
from zoo.files import check_regular

Letters = ImageFont.FreeTypeFont | ImageFont.ImageFont

MISSING = "?"  # drawn for a letter that no font has, rather than the square that fonts have for it
MOST_FONTS = 2000  # looked at on a system with more

_SUFFIXES = (".ttf", ".otf", ".ttc")
_PROBE = 24  # pixels, to see what a letter looks like
_NOWHERE = "\U0010ffff"  # which no font has
_PLAIN = ("sans", "dejavu", "arial", "gothic", "hei", "pingfang", "hiragino", "malgun", "fallback")
_STYLED = ("bold", "italic", "oblique", "mono", "condensed", "light", "thin", "black", "serif", "emoji", "symbol")
_told: set[str] = set()


class FontWarning(UserWarning):
    """Letters of class names are in no font at hand."""


def letters_of(size: int, font: str | Path | None) -> Letters:
    """The font in that file, or the one that Pillow brings, in that size. Raises: UsageError where there is none."""
    try:
        return _letters(size, font)
    except OSError as error:
        case = f"No font can be read there: {error.strerror or error}."
        fix = "Pass the path of a .ttf, .otf or .ttc file."
        raise UsageError(f"Class names can't be written in the font '{font}'.", case, fix) from error


def written(name: str, font: str | Path | None) -> tuple[str, str | Path | None]:
    """The name as it can be drawn, and the font for it; what no font has is `?`, and a warning, once for each letter.

    font: the one to use; None is Pillow's own, or, where that lacks letters, the first font of the system that has all letters
    of the name. Accents that a font lacks are dropped before a letter is given up.
    """
    name = unicodedata.normalize("NFC", " ".join(name.split()))
    if font is None and not all(_has(None, letter) for letter in name):
        font = _of_system(frozenset(name))
    name = "".join(_without_accent(letter, font) for letter in name)
    missing = [letter for letter in dict.fromkeys(name) if not _has(font, letter)]
    if missing:
        _tell(missing, font)
    return "".join(MISSING if letter in missing else letter for letter in name), font


def _tell(missing: list[str], font: str | Path | None) -> None:
    if not (new := [letter for letter in missing if letter not in _told]):
        return
    _told.update(new)
    shown = " ".join(letter if letter.isprintable() else f"U+{ord(letter):04X}" for letter in new[:20])
    shown += f" and {len(new) - 20} more" if len(new) > 20 else ""
    where = f"The font '{font}' lacks" if font else "No font found on this machine has"
    warnings.warn(
        f"{where} these letters of class names: {shown}. They are drawn as {MISSING}. "
        'Name a font file that has them: font="NotoSansCJK-Regular.ttc", or --font.',
        FontWarning,
        stacklevel=2,
    )


@lru_cache(maxsize=64)
def _letters(size: int, font: str | Path | None) -> Letters:
    return ImageFont.truetype(check_regular(font), size) if font else ImageFont.load_default(size)


@lru_cache(maxsize=65536)
def _has(font: str | Path | None, letter: str) -> bool:
    """Whether the font has the letter: else it draws what it draws for a letter that does not exist."""
    if letter.isspace() or unicodedata.category(letter) == "Cf":  # nothing of them is seen
        return True
    return _drawn(font, letter) != _drawn(font, _NOWHERE)


def _drawn(font: str | Path | None, letter: str) -> tuple[object, bytes]:
    mask = letters_of(_PROBE, font).getmask(letter)
    return mask.size, bytes(mask)


@lru_cache(maxsize=1024)
def _of_system(letters: frozenset[str]) -> str | None:
    """The first font of the system that has all of them."""
    rarest_first = sorted(letters, reverse=True)
    for path in _system_fonts():
        try:
            if all(_has(path, letter) for letter in rarest_first):
                return path
        except (UsageError, OSError):  # damaged, or of bitmaps in one size
            continue
    return None


@lru_cache(maxsize=1)
def _system_fonts() -> tuple[str, ...]:
    """The font files in the system's own folders, plain upright ones without serifs first."""
    found = (
        os.path.join(folder, file)
        for root in _folders()
        for folder, _, files in os.walk(root)
        for file in files
        if file.lower().endswith(_SUFFIXES)
    )
    return tuple(sorted(found, key=_plainness)[:MOST_FONTS])


def _plainness(path: str) -> tuple[int, bool, int, str]:
    name = os.path.basename(path).lower()
    return sum(word in name for word in _STYLED), not any(word in name for word in _PLAIN), len(name), name


def _folders() -> Iterator[Path]:
    """Where systems keep fonts."""
    home = Path("~").expanduser()
    if sys.platform == "win32":
        yield Path(os.environ.get("WINDIR", r"C:\Windows")) / "Fonts"
        yield home / "AppData" / "Local" / "Microsoft" / "Windows" / "Fonts"
    elif sys.platform == "darwin":
        yield from (home / "Library" / "Fonts", Path("/Library/Fonts"), Path("/System/Library/Fonts"))
    else:
        own = os.environ.get("XDG_DATA_HOME") or home / ".local" / "share"
        shared = os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
        yield from (home / ".fonts", *(Path(place) / "fonts" for place in (own, *shared.split(":")) if place))


def _without_accent(letter: str, font: str | Path | None) -> str:
    """The letter without its accents, where the font does not have it, and has that."""
    if _has(font, letter):
        return letter
    plain = "".join(part for part in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(part))
    return plain if plain and all(_has(font, part) for part in plain) else letter
