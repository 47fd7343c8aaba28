"""`zoo verify`: hashes again what was fetched, and says what is damaged."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from zoo.cli.wanted import wanted
from zoo.hub import Verified, remove
from zoo.hub import verify as verify_files
from zoo.registry import catalogue


def verify(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="Models; without any, everything that was ever fetched.", show_default=False),
    ] = None,
    remove_damaged: Annotated[
        bool, typer.Option("--remove", help="Remove damaged files; the next load fetches them again.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Hash again what was fetched, and say what is damaged.

    A load trusts a file whose size, time and inode are as when it was hashed; this does not. The exit code is 1 where something
    is not as it was.
    """
    results = verify_files(wanted(catalogue(), names) if names else None)
    if as_json:
        typer.echo(json.dumps([asdict(one) | {"path": one.path and str(one.path)} for one in results], indent=2))
    else:
        _print(results)
    damaged = [one for one in results if one.status == "damaged"]
    for one in damaged if remove_damaged else []:
        remove(one)
        typer.echo(f"removed {one.path}; the next load fetches it again", err=True)
    if damaged and not remove_damaged:
        typer.echo("Remove what is damaged, and the next load fetches it again: zoo verify --remove", err=True)
    raise typer.Exit(int(any(one.status != "ok" for one in results)))


def _print(results: Sequence[Verified]) -> None:
    for one in results:
        typer.echo(f"{one.status:8} {one.entry or one.source}  {one.path or one.source}")
    bad = sum(one.status != "ok" for one in results)
    typer.echo(f"{len(results)} files, {bad} not as they were." if results else "Nothing has been fetched yet.", err=True)
