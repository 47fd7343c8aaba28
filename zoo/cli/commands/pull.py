"""`zoo pull`: fetches and verifies weights, so that later loads need no network."""

from __future__ import annotations

import json
from functools import partial
from typing import Annotated

import typer

from zoo.cli import output, stderr
from zoo.cli.exit_code import exit_code
from zoo.cli.format import format_megabytes
from zoo.errors import WeightsError
from zoo.registry import catalogue
from zoo.weights import WeightsRequest, fetch, request_for
from zoo.weights.resolve import resolve_name


def pull(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME",
            help="Models, as zoo list shows them; .TAG picks other weights.",
            show_default=False,
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Fetch and verify weights now, so that later loads need no network.

    Weights that can't be had do not keep the others from coming: the exit code is 1 then, or that
    of the errors if all failed in the same way.
    """
    registry = catalogue()
    resolve = partial(resolve_name, registry)
    codes: set[int] = set()
    rows: list[dict[str, object]] = []
    for choice in {
        request.entry.identity + str(request.tag): request for request in map(resolve, names)
    }.values():
        try:
            rows += [
                _pull(request, registry.mirrors, quiet=as_json)
                for request in request_for(choice).every_file()
            ]
        except WeightsError as error:
            codes.add(error.exit_code)
            stderr.error(error, about="" if choice.name in str(error) else choice.name)
    if as_json:
        output.document(json.dumps(rows, indent=2))
    raise typer.Exit(exit_code(codes, some_done=bool(rows)))


def _pull(request: WeightsRequest, mirrors: dict[str, str], *, quiet: bool) -> dict[str, object]:
    """Fetches one file, prints a line about it unless `quiet`, and returns its facts."""
    file = fetch(
        request.weights,
        name=request.name,
        tag=request.tag,
        role=request.role,
        origin=request.origin,
        mirrors=mirrors,
    )
    if not quiet:
        output.line(
            f"{request.entry}  {format_megabytes(file.bytes)}  sha256 {file.sha256[:16]}…  "
            f"{file.through or file.source}"
        )
    return {
        "name": request.entry,
        "source": file.source,
        "through": file.through,
        "revision": file.revision,
        "sha256": file.sha256,
        "bytes": file.bytes,
        "path": str(file.path),
    }
