"""Writes `Error:` or `Warning:` and a sentence to standard error, with advice in the shell's
words."""

from __future__ import annotations

import typer

from zoo.errors import ZooError
from zoo.printable import printable


def error(what: ZooError | str, *, about: str = "") -> None:
    """Say what went wrong; `about` names whose error it is, where several names were given."""
    _say("Error", "red", what, about)


def warning(what: ZooError | str) -> None:
    """Say what a user should know though the work goes on."""
    _say("Warning", "yellow", what, "")


def _say(head: str, color: str, what: ZooError | str, about: str) -> None:
    text = what.in_shell if isinstance(what, ZooError) else printable(what)
    typer.secho(f"{head}: ", fg=color, bold=True, nl=False, err=True)
    typer.echo(f"{printable(about)}: {text}" if about else text, err=True)
