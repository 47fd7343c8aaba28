"""`zoo verify`: hashes fetched files again, and lists the damaged ones."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from zoo.cli import output
from zoo.cli.options import weights_requests
from zoo.registry import catalogue
from zoo.text import pluralize
from zoo.weights import FileStatus, remove
from zoo.weights import verify as verify_files
from zoo.weights.records import typed_name


def verify(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME",
            help="Models; without any, everything that was ever fetched.",
            show_default=False,
        ),
    ] = None,
    bundle: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Look at the files of this bundle, and at nothing else."
        ),
    ] = None,
    remove_damaged: Annotated[
        bool,
        typer.Option("--remove", help="Remove damaged files; the next load fetches them again."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Hash again what was fetched, and say what is damaged.

    A load trusts a file whose size, time and inode are as when it was hashed; this does not. Where
    ZOO_BUNDLE names a bundle, its files are hashed as well. The exit code is 1 where something is
    not as it was.
    """
    results = verify_files(weights_requests(catalogue(), names) if names else None, bundle=bundle)
    if as_json:
        output.document(json.dumps([asdict(result) for result in results], indent=2, default=str))
    else:
        _print(results)
    damaged = [result for result in results if result.status == "damaged"]
    ours = [file for file in damaged if file.bundle is None]
    for file in ours if remove_damaged else []:
        remove(file)
        output.line(f"Removed {file.path}; the next load fetches it again.", err=True)
    if ours and not remove_damaged:
        output.line(
            "Remove what is damaged, and the next load fetches it again: zoo verify --remove",
            err=True,
        )
    for folder in {result.bundle for result in results if result.bundle and result.status != "ok"}:
        output.line(
            f"Copy the bundle {folder} to this machine again, or make a new one: zoo bundle NAME "
            f"--to FOLDER",
            err=True,
        )
    raise typer.Exit(int(any(result.status != "ok" for result in results)))


def _print(results: Sequence[FileStatus]) -> None:
    for file in results:
        name = file.entry or (
            "a converted checkpoint" if file.source.startswith("converted:") else file.source
        )
        model = typed_name(file.entry)  # zoo pull takes the name of a model
        output.line(f"{file.status:11}  {name}  {file.path or f'Fetch it: zoo pull {model}'}")
    for folder in {result.bundle for result in results if result.bundle}:
        output.line(f"Those in {folder} are held against its bundle.json.", err=True)
    counts = Counter(result.status for result in results if result.status != "ok")
    verdict = (
        ", ".join(f"{number} {status}" for status, number in counts.items()) or "all as fetched"
    )
    output.line(
        f"{pluralize(len(results), 'file')}: {verdict}."
        if results
        else "Nothing has been fetched yet.",
        err=True,
    )
