"""Prints lines in which text from outside can't command the terminal, and JSON: the only way to
standard output."""

from __future__ import annotations

import sys
from collections.abc import Iterable

import typer

from zoo.printable import printable, printable_json

WIDEST = 100_000  # characters of one printed line


class Heading(str):
    """A line in bold, where a terminal shows it."""

    __slots__ = ()


def line(text: str, *, err: bool = False) -> None:
    """Print one line, to standard error with `err`. A line break in the text begins no new line."""
    typer.echo(_shown(text), err=err)


def lines(texts: Iterable[str], *, err: bool = False) -> None:
    """Print each text as a line of its own."""
    typer.echo("\n".join(map(_shown, texts)), err=err)


def document(text: str, *, end: bool = True) -> None:
    """Print a JSON document, with a line break after it where `end` is set."""
    typer.echo(printable_json(text), nl=end)


def flush() -> None:
    """Let whoever reads see what was printed so far."""
    sys.stdout.flush()


def _shown(text: str) -> str:
    shown = printable(text, limit=WIDEST)
    return typer.style(shown, bold=True) if isinstance(text, Heading) else shown
