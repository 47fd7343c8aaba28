"""`zoo bundle`: packs weights into a folder that a machine without a network loads from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from zoo.cli import output
from zoo.cli.format import format_megabytes
from zoo.cli.options import weights_requests
from zoo.registry import catalogue
from zoo.weights import bundle as make_bundle
from zoo.weights.resolve import resolve_name


def bundle(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME",
            help="Models, as zoo list shows them; .TAG picks other weights.",
            show_default=False,
        ),
    ],
    to: Annotated[
        Path,
        typer.Option(
            "--to",
            metavar="FOLDER",
            help="Where to put it; what a bundle there holds already stays.",
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Pack weights into a folder that a machine without a network loads from.

    Cards from your own registry files go with them. There, ZOO_BUNDLE=FOLDER is all that is needed;
    the plugins have to be installed. To hash its files again: zoo verify --bundle FOLDER.
    """
    registry = catalogue()
    choices = weights_requests(registry, names)
    manifest = make_bundle(
        choices,
        to,
        registry=registry.extract(resolve_name(registry, name) for name in names),
        mirrors=registry.mirrors,
    )
    if as_json:
        output.document(
            json.dumps(
                {
                    entry: {"file": item.file, "sha256": item.sha256}
                    for entry, item in manifest.weights.items()
                },
                indent=2,
            )
        )
        return
    for entry, item in manifest.weights.items():
        output.line(f"{entry}  {format_megabytes(item.bytes)}  {item.file[:16]}…")
    output.line(f"Carry {to} over, and there: ZOO_BUNDLE={to} ZOO_OFFLINE=1 zoo detect …", err=True)
