"""Writes a folder of weights for offline machines: files by sha256, manifest, lock file, cards."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path

import msgspec

from zoo.errors import IntegrityError, UsageError
from zoo.files import atomic_write, write_file
from zoo.registry.card import MODEL, SCHEMA
from zoo.registry.catalogue import Extract
from zoo.registry.yaml_document import parse, read
from zoo.weights.disk import check_room, saving
from zoo.weights.lock import Lock, Pin
from zoo.weights.manifest import FILE, REGISTRY, Item, Manifest
from zoo.weights.records import WeightsFile, WeightsRequest, sha256_of
from zoo.weights.resolve import NO_MIRRORS, fetch

HEADER = (
    b"# Cards and aliases from files of a user's own. This is JSON, which is YAML with every text "
    b"quoted.\n"
)
FOLDER_FIX = "Name another folder with --to, which can be written and has room."


def bundle(
    choices: Iterable[WeightsRequest],
    to: Path,
    *,
    registry: Extract | None = None,
    mirrors: Mapping[str, str] = NO_MIRRORS,
    progress: bool | None = None,
) -> Manifest:
    """Puts the files of `choices` into the folder `to`, a `.pth` converted; what a bundle there
    holds already stays.

    A machine loads from it with `ZOO_BUNDLE=FOLDER`, no network and no cache; `FOLDER/zoo.lock` is
    a lock file of the same. A folder's model goes by `user/NAME` there.

    registry: cards that the other machine does not have, as `Catalogue.extract` gives them.

    Raises:
        As `fetch`; CacheError: the folder can't be written. UsageError: two models have one name.
    """
    before = Manifest.read(to) if (to / FILE).exists() else Manifest({})
    items = dict(before.weights)
    for request in _every_file(choices):
        fetched = fetch(
            request.weights,
            name=request.name,
            tag=request.tag,
            role=request.role,
            origin=request.origin,
            mirrors=mirrors,
            progress=progress,
        )
        item = Item(
            **asdict(Pin.of(fetched)),
            file=_file_name(fetched, request.role),
            state_key=request.weights.state_key,
        )
        _copy(fetched.path, to / item.file, sha256=item.digest)
        items[_listed_entry(request)] = item
    cards = _write_registry(registry, to) if registry else before.registry
    manifest = Manifest(items, registry=cards)
    with saving(to / FILE, fix=FOLDER_FIX):
        write_file(to / FILE, msgspec.json.format(msgspec.json.encode(manifest)))
    Lock(
        {
            entry: Pin(item.source, item.sha256, item.bytes, item.revision, item.converted)
            for entry, item in items.items()
        }
    ).write(to / "zoo.lock", fix=FOLDER_FIX)
    return manifest


def _listed_entry(request: WeightsRequest) -> str:
    """The entry of a file in the bundle, whose registry file lists a folder's model by name."""
    return replace(request, name=request.listed or request.name).entry


def _every_file(choices: Iterable[WeightsRequest]) -> list[WeightsRequest]:
    """One request per file. Raises: UsageError for two models of one name, of which a bundle could
    list only one."""
    requests = [request for chosen in choices for request in chosen.every_file()]
    first: dict[str, str] = {}
    for request in requests:
        name = request.listed or request.name
        other = first.setdefault(name, request.name)
        if other != request.name:
            raise UsageError(
                f"{other} and {request.name} can't go into one bundle.",
                f"Both are called '{name}', by which a bundle lists them.",
                "Make a bundle of each, or give one another name in its card.yaml.",
            )
    return requests


def _write_registry(added: Extract, to: Path) -> str:
    """Writes the bundle's registry file, with what it had and what is added, and returns its
    sha256."""
    path = to / REGISTRY
    had = parse(read(path), path).data if path.exists() else {}
    sections = {
        section: {**(had.get(section) or {}), **added.get(section, {})}
        for section in ("cards", "aliases")
    }
    merged = {"schema": SCHEMA, **sections}
    with saving(path, fix=FOLDER_FIX):
        write_file(path, HEADER + msgspec.json.format(msgspec.json.encode(merged)) + b"\n")
    return sha256_of(path)


def _file_name(fetched: WeightsFile, role: str) -> str:
    if role == MODEL:
        return f"{fetched.converted or fetched.sha256}.safetensors"
    suffix = re.search(r"\.\w+$", fetched.source.partition("?")[0])
    return f"{fetched.sha256}{suffix[0] if suffix else '.bin'}"


def _copy(path: Path, to: Path, *, sha256: str) -> None:
    if to.is_file() and sha256_of(to) == sha256:
        return
    with saving(to, fix=FOLDER_FIX):
        to.parent.mkdir(parents=True, exist_ok=True)
        check_room(to, path.stat().st_size, fix=FOLDER_FIX)
        with atomic_write(to) as draft:
            shutil.copyfile(path, draft)
    if sha256_of(to) != sha256:
        raise IntegrityError(
            f"{to} can't be written.",
            "What can be read there now is something else.",
            "Check that disk.",
        )
