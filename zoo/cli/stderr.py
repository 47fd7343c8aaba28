"""Writes errors and warnings to standard error, with advice for the shell."""

from __future__ import annotations

import typer

from zoo.errors import ZooError
from zoo.printable import printable


def error(message: ZooError | str, *, about: str = "") -> None:
    """Print an error; `about` is the name that it concerns, if several were given."""
    _say("Error", "red", message, about)


def warning(message: ZooError | str) -> None:
    """Print a warning; the work goes on."""
    _say("Warning", "yellow", message, "")


def _say(head: str, color: str, message: ZooError | str, about: str) -> None:
    text = message.in_shell if isinstance(message, ZooError) else printable(message)
    typer.secho(f"{head}: ", fg=color, bold=True, nl=False, err=True)
    typer.echo(f"{printable(about)}: {text}" if about else text, err=True)
