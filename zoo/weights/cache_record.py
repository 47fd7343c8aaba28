"""Records of verified files: sha256, and a stamp by which later loads skip hashing."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from zoo.environment import home
from zoo.errors import CacheError
from zoo.files import write_file
from zoo.limits import UNREADABLE
from zoo.weights.disk import saving

log = logging.getLogger("zoo")


@dataclass(frozen=True)
class FileStamp:
    """Size, modification time and inode: while they stay, the file is taken to be the one that was
    hashed."""

    bytes: int
    mtime_ns: int
    inode: int

    @classmethod
    def of(cls, path: Path) -> FileStamp:
        """The stamp of a file as it is now."""
        now = path.stat()
        return cls(now.st_size, now.st_mtime_ns, now.st_ino)


@dataclass(frozen=True)
class Record:
    """A verified file.

    address:  what it is, as in `hub:org/repo@revision:file`, a URL, or `converted:SHA256`.
    entry:    the name it was last fetched for.
    dropped:  of a converted checkpoint: the entries that are not tensors and were left out.
    finite:   every number in it was looked at, and is finite.
    """

    address: str
    path: str
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    stamp: FileStamp
    entry: str = ""
    revision: str | None = None
    dropped: tuple[str, ...] = ()
    finite: bool = False

    def holds(self, path: Path) -> bool:
        """Whether `path` is still the file that was verified."""
        return path == Path(self.path) and path.is_file() and FileStamp.of(path) == self.stamp


def file_of(address: str) -> Path:
    """The file of the record of an address."""
    return home() / "records" / f"{key_of(address)}.json"


def key_of(address: str) -> str:
    """A short name for an address that any file system can hold."""
    return hashlib.sha256(address.encode()).hexdigest()[:24]


def read(address: str) -> Record | None:
    """The record of an address; a damaged record is as good as none."""
    return read_record(file_of(address))


def read_all() -> Iterator[Record]:
    """Everything that is remembered."""
    for file in sorted((home() / "records").glob("*.json")):
        record = read_record(file)
        if record:
            yield record


def write(record: Record) -> None:
    """Remembers; where that can't be written, the file is hashed again at each load and a log line
    says so."""
    file = file_of(record.address)
    try:
        with saving(file):
            write_file(file, msgspec.json.encode(record))
    except CacheError as why:
        log.warning(
            "%s is verified but can't be remembered, so each load hashes it again: %s",
            record.path,
            why.case,
        )


def note_finite(address: str, path: Path) -> None:
    """Remembers that every number in the file of that address is finite, if it still is the file
    that was verified."""
    known = read(address)
    if known and known.holds(path) and not known.finite:
        write(replace(known, finite=True))


def forget(record: Record) -> None:
    """Drops the record."""
    file_of(record.address).unlink(missing_ok=True)


def read_record(file: Path) -> Record | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=Record)
    except UNREADABLE:
        return None
