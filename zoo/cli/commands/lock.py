"""`zoo lock`: pins what names resolve to in a lock file, which later loads obey."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from zoo import environment
from zoo.cli import output
from zoo.cli.options import weights_requests
from zoo.errors import NameNotFound
from zoo.registry import Catalogue, catalogue
from zoo.registry.folder import FILE_PREFIX, HUB_PREFIX
from zoo.text import pluralize
from zoo.weights import Lock, WeightsRequest, relock, request_for, verify
from zoo.weights.hub_model import card_request
from zoo.weights.records import name_and_tag
from zoo.weights.resolve import resolve_name
from zoo.weights.tags import with_tag


def lock(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Models to pin.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Write down what names resolve to; later loads obey it.

    Without names: what the lock file pins already, else every model whose weights were fetched on
    this machine, but none of a folder. The file is zoo.lock in the working folder, or where
    ZOO_LOCK says; keep it under version control.
    """
    registry = catalogue()
    path = environment.lock_file() or Path("zoo.lock")
    old = Lock.read(path) if path.exists() else Lock()
    chosen = weights_requests(registry, names, lock=Lock()) if names else _all(registry, old)
    if not chosen:
        raise NameNotFound(
            "A lock file can't be written.",
            "No model was named, and none that it pins can be found."
            if old.pins
            else "No model was named, and none has been fetched yet.",
            "Name some: zoo lock yolox_nano",
        )
    pins = {**old.pins, **relock(chosen, mirrors=registry.mirrors).pins}
    Lock(pins, path).write(path)
    if as_json:
        output.document(
            json.dumps({entry: asdict(pin) for entry, pin in sorted(pins.items())}, indent=2)
        )
    else:
        for entry, pin in sorted(pins.items()):
            changed = "" if old.pins.get(entry) in (None, pin) else "  (changed)"
            output.line(f"{entry}  sha256 {pin.sha256[:16]}…  {pin.source}{changed}")
        output.line(f"{pluralize(len(pins), 'name')} pinned in {path}", err=True)


def _all(registry: Catalogue, old: Lock) -> list[WeightsRequest]:
    """Requests for everything that the old lock file pins, or, if it pins nothing, for everything
    that was fetched on this machine, but for folders."""
    fetched = [result.entry for result in verify() if result.entry]
    # a folder's path is of this machine alone
    entries = list(old.pins) or [entry for entry in fetched if not entry.startswith(FILE_PREFIX)]
    requests: dict[str, WeightsRequest] = {}
    for name, tag in dict.fromkeys(map(name_and_tag, entries)):
        try:
            files = _requests(registry, name, tag)
        except NameNotFound as error:
            if old.pins:  # a fetched file need not belong to a model of the registry
                output.line(f"{error.failure} {error.case} Its pin stays as it is.", err=True)
            continue
        requests |= {request.entry: request for request in files}
    return list(requests.values())


def _requests(registry: Catalogue, name: str, tag: str | None) -> list[WeightsRequest]:
    choice = resolve_name(registry, name, lock=Lock())
    if tag:
        choice = with_tag(choice, name, tag)
    card = [card_request(name, Lock())] if name.startswith(HUB_PREFIX) else []
    return [*card, request_for(choice)]
