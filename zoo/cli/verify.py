"""`zoo verify`: hashes again what was fetched, and says what is damaged."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

import typer

from zoo.cli.wanted import wanted
from zoo.hub import Verified, remove
from zoo.hub import verify as verify_files
from zoo.registry import catalogue


def verify(names: Sequence[str], *, remove_damaged: bool, as_json: bool) -> int:
    """Checks the files of `names`, or of everything there is a record of; returns 1 where one is not as it was."""
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
    return int(any(one.status != "ok" for one in results))


def _print(results: Sequence[Verified]) -> None:
    for one in results:
        typer.echo(f"{one.status:8} {one.entry or one.source}  {one.path or one.source}")
    bad = sum(one.status != "ok" for one in results)
    typer.echo(f"{len(results)} files, {bad} not as they were." if results else "Nothing has been fetched yet.", err=True)
