"""Prints lines and JSON to standard output, with control characters escaped; all commands print
through it."""

from __future__ import annotations

import sys
from collections.abc import Iterable

import typer

from zoo.printable import printable, printable_json

MAX_LINE_LETTERS = 100_000  # characters of one printed line


class Heading(str):
    """A line that a terminal shows in bold."""

    __slots__ = ()


def line(text: str, *, err: bool = False) -> None:
    """Print one line, to standard error if `err`; line breaks in the text become blanks."""
    typer.echo(_for_terminal(text), err=err)


def lines(texts: Iterable[str], *, err: bool = False) -> None:
    """Print one line per text."""
    typer.echo("\n".join(map(_for_terminal, texts)), err=err)


def document(text: str, *, end: bool = True) -> None:
    """Print a JSON document, and a line break after it if `end`."""
    typer.echo(printable_json(text), nl=end)


def flush() -> None:
    """Flush standard output, so that its reader gets what was printed so far."""
    sys.stdout.flush()


def _for_terminal(text: str) -> str:
    escaped = printable(text, limit=MAX_LINE_LETTERS)
    return typer.style(escaped, bold=True) if isinstance(text, Heading) else escaped
