"""Checks of output options that several commands share, before any work is done."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from zoo.errors import UsageError


def check_distinct(files: Mapping[str, str | Path | None]) -> None:
    """Raises: UsageError if two options name the same file.

    files: the file of each option, None if the option was not given.
    """
    option_of: dict[Path, str] = {}
    for option, file in files.items():
        if not file:
            continue
        if (first := option_of.setdefault(Path(file).resolve(), option)) != option:
            raise UsageError(
                f"{first} and {option} were given.",
                f"Both would be written to '{file}'.",
                "Name a file of its own for each.",
            )


def check_font(font: Path | None, output: Path | None, *, option: str, example: str) -> None:
    """Checks that a font can be read, and that there is an output to draw with it.

    option, example: the option that names the output, and a value for it.

    Raises: UsageError.
    """
    if font is None:
        return
    if output is None:
        raise UsageError(
            "--font was given.", f"It is for {option}, which was not.", f"Add {option} {example}"
        )
    from zoo.fonts import letters_of  # deferred: it imports Pillow

    letters_of(12, font)
