"""Chooses the font for a class name: the given one, Pillow's own, or one of the system.

Warns once of each letter that no font has.
"""

from __future__ import annotations

import unicodedata
from pathlib import Path

from zoo.fonts import has, of_system, warn_of

MISSING_LETTER = "?"  # drawn for a letter that no font has
WARNED_LETTERS: set[str] = set()


def drawable_name(name: str, font: str | Path | None) -> tuple[str, str | Path | None]:
    """The name as it can be drawn, and the font for it; letters that the font lacks become `?`,
    with one warning each.

    font: the one to use; None is Pillow's own or, if that lacks letters, the first font of the
        system that has all letters of the name. Letters without their accent are tried before `?`.
    """
    name = unicodedata.normalize("NFC", " ".join(name.split()))
    if font is None and not all(has(None, letter) for letter in name):
        font = of_system(frozenset(name))
    name = "".join(_without_accent(letter, font) for letter in name)
    missing = [letter for letter in dict.fromkeys(name) if not has(font, letter)]
    if missing:
        _warn_once(missing, font)
    return "".join(MISSING_LETTER if letter in missing else letter for letter in name), font


def _warn_once(missing: list[str], font: str | Path | None) -> None:
    if not (new := [letter for letter in missing if letter not in WARNED_LETTERS]):
        return
    WARNED_LETTERS.update(new)
    where = f"The font '{font}' lacks" if font else "No font found on this machine has"
    warn_of(
        f"{where} these letters of class names", new, then=f" They are drawn as {MISSING_LETTER}."
    )


def _without_accent(letter: str, font: str | Path | None) -> str:
    """The letter without its accents, where the font does not have it, and has that."""
    if has(font, letter):
        return letter
    plain = "".join(
        part for part in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(part)
    )
    return plain if plain and all(has(font, part) for part in plain) else letter
