"""The index: compiled registry files under `$ZOO_HOME/index`, so that ten thousand cards are parsed once and then only read.

An entry is trusted if it is whole and was made from exactly these bytes by exactly this code; any other is ignored and replaced.
An index that can't be written costs time, never correctness.
"""

from __future__ import annotations

import os
from functools import cache
from hashlib import sha256
from pathlib import Path
from zlib import crc32

import msgspec

from zoo.registry import card, document, row, schema, shelf
from zoo.registry.document import read
from zoo.registry.home import home
from zoo.registry.shelf import Shelf, shelve

_MAGIC = b"detzoo index\n"
_HEAD = len(_MAGIC) + 32 + 4


def indexed_shelf(path: Path, *, owner: str) -> Shelf:
    """The shelf of a registry file, from the index if it is there. Raises CardError."""
    path = Path(os.path.abspath(path))
    raw = read(path)
    digest = sha256(_stamp() + raw).digest()
    place = _place(path, owner)
    found = _load(place, digest) if place else None
    if found is None:
        found = shelve(raw, path, owner=owner)
        if place:
            _save(place, digest, found)
    return found


@cache
def _stamp() -> bytes:
    """Changes with the code that decides what an entry holds."""
    sources = (Path(module.__file__ or "").read_bytes() for module in (card, document, row, schema, shelf))
    return sha256(b"\0".join(sources)).digest()


def _place(path: Path, owner: str) -> Path | None:
    """Where the entry belongs, or None on a machine without a home."""
    try:
        return home() / "index" / sha256(f"{owner}\0{path}".encode(errors="surrogateescape")).hexdigest()
    except RuntimeError:
        return None


def _load(place: Path, digest: bytes) -> Shelf | None:
    try:
        entry = memoryview(place.read_bytes())
        if entry[: _HEAD - 4] != _MAGIC + digest or int.from_bytes(entry[_HEAD - 4 : _HEAD], "big") != crc32(entry[_HEAD:]):
            return None
        return msgspec.msgpack.decode(entry[_HEAD:], type=Shelf)
    except (OSError, msgspec.DecodeError):
        return None


def _save(place: Path, digest: bytes, found: Shelf) -> None:
    """Written aside and moved into place, so that another process sees the old entry or the new one."""
    body = msgspec.msgpack.encode(found)
    aside = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        aside.write_bytes(_MAGIC + digest + crc32(body).to_bytes(4, "big") + body)
        os.replace(aside, place)
    except OSError:
        aside.unlink(missing_ok=True) if aside.parent.is_dir() else None
