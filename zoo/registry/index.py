"""The index: compiled registry files under `$ZOO_HOME/index`, so that ten thousand cards are parsed
once and then only read.

An entry is used if it is whole, was made by this very code, and from these bytes: that is so if
size and times of the file are the same, unless it had changed only just before (a second change
could leave them the same, what git calls racy), or if the bytes' sha256 is. Any other entry is
replaced. An index that can't be written costs time, never correctness.

    entry = magic · length and crc32 of the head · head · encoded cards, which a listing never reads
"""

from __future__ import annotations

import os
import struct
import time
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from zlib import crc32

import msgspec

from zoo.environment import home
from zoo.errors import UsageError
from zoo.files import write_file
from zoo.labels import builtin
from zoo.registry import (
    card,
    card_checks,
    extensions,
    license,
    registry_file,
    requirements,
    schema,
    summary,
    yaml_document,
)
from zoo.registry.registry_file import Listing, RegistryFile, parse_registry_file
from zoo.registry.yaml_document import flaw, read

_MAGIC = b"detzoo index\n"
_FRAME = struct.Struct(f">{len(_MAGIC)}sII")
SETTLED_NS = 2_000_000_000


class _Head(msgspec.Struct, frozen=True, array_like=True):
    """The origin of an entry, the code that made it, and the listing itself.

    times: size, modification and change time of the file, or None if it was not settled then.
    cards: crc32 of the encoded cards.
    """

    code: bytes
    times: tuple[int, int, int] | None
    digest: bytes
    cards: int
    listing: Listing


def indexed_file(path: Path, *, owner: str) -> RegistryFile:
    """Reads a registry file, from the index if it is there. Raises CardError."""
    path = Path(os.path.abspath(path))
    place = _place(path, owner)
    times = _times(path)
    head = _load(place) if place else None
    if place and head and times and head.times == times:
        return _from_entry(place, head, path, owner)
    raw = read(path)
    digest = sha256(raw).digest()
    if place and head and head.digest == digest:
        stored = _from_entry(place, head, path, owner)
    else:
        stored, head = parse_registry_file(raw, path, owner=owner), None
    if place and (times or not head):
        save_index(place, stored, times, digest)
    return stored


def _from_entry(place: Path, head: _Head, path: Path, owner: str) -> RegistryFile:
    """The registry file of an entry; its cards come from the entry, or from the file if the entry
    has been damaged or replaced since."""

    def fetch() -> list[msgspec.Raw]:
        cards = _load_cards(place, head)
        if cards is not None:
            return cards
        again = parse_registry_file(read(path), path, owner=owner)
        if again.rows != head.listing.rows:
            raise flaw(
                path, "It has changed since it was listed.", "Read it again: zoo.registry.reload()"
            )
        return again.encoded

    return RegistryFile(str(path), owner, head.listing, fetch)


@cache
def code_version() -> bytes:
    """Changes with the code that decides what an entry holds."""
    modules = [builtin, card, card_checks, extensions, license, registry_file, requirements]
    modules += [schema, summary, yaml_document]
    sources = (Path(module.__file__ or "").read_bytes() for module in modules)
    return sha256(b"\0".join(sources)).digest()


def _times(path: Path) -> tuple[int, int, int] | None:
    """Size and times of a file; None if there is no file, or if it changed so recently
    that these may not tell."""
    try:
        now, status = time.time_ns(), path.stat()
    except OSError:
        return None
    settled = now - max(status.st_mtime_ns, status.st_ctime_ns) > SETTLED_NS
    return (status.st_size, status.st_mtime_ns, status.st_ctime_ns) if settled else None


def _place(path: Path, owner: str) -> Path | None:
    """The path of the entry, or None on a machine without a home."""
    try:
        return (
            home()
            / "index"
            / sha256(f"{owner}\0{path}".encode(errors="surrogateescape")).hexdigest()
        )
    except UsageError:
        return None


def _load(place: Path) -> _Head | None:
    """The head of an entry that is whole and was made by this code."""
    try:
        with place.open("rb") as file:
            magic, length, checksum = _FRAME.unpack(file.read(_FRAME.size))
            body = file.read(length)
        head = (
            msgspec.msgpack.decode(body, type=_Head)
            if magic == _MAGIC and crc32(body) == checksum
            else None
        )
    except (OSError, struct.error, msgspec.DecodeError):
        return None
    return head if head and head.code == code_version() else None


def _load_cards(place: Path, head: _Head) -> list[msgspec.Raw] | None:
    """The cards that belong to this head, whole."""
    try:
        with place.open("rb") as file:
            _, length, _ = _FRAME.unpack(file.read(_FRAME.size))
            file.seek(length, os.SEEK_CUR)
            body = file.read()
        return (
            msgspec.msgpack.decode(body, type=list[msgspec.Raw])
            if crc32(body) == head.cards
            else None
        )
    except (OSError, struct.error, msgspec.DecodeError):
        return None


def save_index(
    place: Path, stored: RegistryFile, times: tuple[int, int, int] | None, digest: bytes
) -> None:
    """Written aside and moved into place, so that another process sees the old entry or the new
    one."""
    cards = msgspec.msgpack.encode(stored.encoded)
    head = msgspec.msgpack.encode(
        _Head(code_version(), times, digest, crc32(cards), stored.listing)
    )
    with suppress(OSError):
        content = _FRAME.pack(_MAGIC, len(head), crc32(head)) + head + cards
        write_file(place, content, durable=False)
