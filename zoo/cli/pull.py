"""`zoo pull`: fetches weights now, so that later loads need no network."""

from __future__ import annotations

import json
from collections.abc import Sequence

import typer

from zoo.cli.wanted import megabytes, wanted
from zoo.errors import WeightsError
from zoo.hub import Wanted, fetch
from zoo.registry import catalogue


def pull(names: Sequence[str], *, as_json: bool) -> int:
    """Fetches and verifies each; one that can't be had does not keep the others from coming. Returns the exit code."""
    known = catalogue()
    failed = 0
    rows = []
    for one in wanted(known, names):
        try:
            rows.append(_pulled(one, known.mirrors, quiet=as_json))
        except WeightsError as why:
            failed = why.exit_code
            typer.echo(f"{one.entry}: {why}", err=True)
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
    return failed


def _pulled(one: Wanted, mirrors: dict[str, str], *, quiet: bool) -> dict[str, object]:
    got = fetch(one.weights, name=one.name, tag=one.tag, origin=one.origin, mirrors=mirrors)
    if not quiet:
        typer.echo(f"{one.entry}  {megabytes(got.bytes)}  sha256 {got.sha256[:16]}…  {got.through or got.source}")
    return {
        "name": one.entry,
        "source": got.source,
        "through": got.through,
        "revision": got.revision,
        "sha256": got.sha256,
        "bytes": got.bytes,
        "path": str(got.path),
    }
