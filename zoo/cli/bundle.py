"""`zoo bundle`: packs weights into a folder that a machine without a network loads from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import typer

from zoo.cli.wanted import megabytes, wanted
from zoo.hub import bundle as make_bundle
from zoo.registry import catalogue


def bundle(names: Sequence[str], *, to: Path, as_json: bool) -> int:
    """Fetches `names` and copies them into `to`; what a bundle there holds already stays."""
    known = catalogue()
    manifest = make_bundle(wanted(known, names), to, mirrors=known.mirrors)
    if as_json:
        typer.echo(
            json.dumps({entry: {"file": item.file, "sha256": item.sha256} for entry, item in manifest.weights.items()}, indent=2)
        )
        return 0
    for entry, item in manifest.weights.items():
        typer.echo(f"{entry}  {megabytes(item.bytes)}  {item.file[:16]}…")
    typer.echo(f"Carry {to} over, and there: ZOO_BUNDLE={to} ZOO_OFFLINE=1 zoo detect …", err=True)
    return 0
