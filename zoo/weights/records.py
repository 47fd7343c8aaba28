"""Requests for weights, the verified files that answer them, and the records of those files: the
sha256 that was found, and a stamp by which later loads skip hashing."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from zoo.environment import home
from zoo.errors import CacheError, IntegrityError, WeightsError
from zoo.files import write_file
from zoo.limits import UNREADABLE
from zoo.printable import printable
from zoo.registry.card import MODEL, Source, Weights
from zoo.registry.folder import FILE_PREFIX, HUB_PREFIX
from zoo.weights.disk import saving

log = logging.getLogger("zoo")

_ROLE = re.compile(r":[^.:]+$")
SHA256_DIGITS_SHOWN = 16  # digits of a sha256 that a message repeats
CARD_ROLE = "card"  # of the file that says what a repository on the Hub is


def typed_name(entry: str) -> str:
    """The model's name of an entry, as a command takes it (`WeightsRequest.command_name`)."""
    return name_and_tag(entry)[0]


def name_and_tag(entry: str) -> tuple[str, str | None]:
    """The name of the model that an entry is of, as a command takes it, and the tag of its weights
    where the name has none: in a folder, or in a repository on the Hub."""
    if not entry.startswith((HUB_PREFIX, FILE_PREFIX)):
        return entry.partition(":")[0], None
    scheme, _, place = entry.partition(":")
    head, slash, last = place.rpartition("/")
    last, colon, role = last.rpartition(":") if _ROLE.search(last) else (last, "", "")
    name, _, tag = last.rpartition(".")
    if scheme == "hub" and colon and role == CARD_ROLE:
        name, tag = last, ""
    return f"{scheme}:{head}{slash}{name}", tag or None


@dataclass(frozen=True)
class WeightsRequest:
    """One file of a set of weights of one model.

    origin: the registry file that names them, or its folder; `file` sources are in it.
    placed: the user named the file, and the state key of its weights is only the card's for its
        own.
    role:   which of the set's files: the checkpoint, or another that the family needs.
    listed: the name that a bundle's registry file gives the model; None where that is `name`.
    """

    name: str
    tag: str | None
    weights: Weights
    origin: Path | None = None
    placed: bool = False
    role: str = MODEL
    listed: str | None = None

    @property
    def model(self) -> str:
        """The name of the set of weights, as a user types it."""
        return f"{self.name}.{self.tag}" if self.tag else self.name

    @property
    def command_name(self) -> str:
        """The name of the model, as a command takes it: that of a folder or a repository has no
        tag."""
        return self.name if self.name.startswith((HUB_PREFIX, FILE_PREFIX)) else self.model

    @property
    def entry(self) -> str:
        """The file's name in lock files, bundles and messages."""
        return self.model if self.role == MODEL else f"{self.model}:{self.role}"

    @property
    def sources(self) -> list[Source]:
        """The sources of the file, in the order to try."""
        return self.weights.files.get(self.role, [])

    def every_file(self) -> list[WeightsRequest]:
        """One request per file of the set, the checkpoint first; a request for another file alone
        is its own."""
        if self.role != MODEL:
            return [self]
        roles = [MODEL, *(role for role in self.weights.files if role != MODEL)]
        return [replace(self, role=role) for role in roles]


@dataclass(frozen=True)
class WeightsFile:
    """Verified weights on this machine.

    path:      a safetensors file; of another role than the checkpoint's, the published file.
    sha256:    of the published file, in full.
    source:    where it is published, as in `hub:org/repo@revision:file`.
    revision:  the commit on the Hub.
    bytes:     the size of the published file.
    published: the published file, as it was fetched; `path` where a bundle brought that instead.
    through:   the mirror or bundle it came from instead.
    converted: the sha256 of `path`, if that was made from a `.pth`.
    dropped:   what the `.pth` held besides tensors.
    own:       only the zoo writes `path`, and never in place: it may be mapped into memory.
    key:       what `path` is remembered under. stamp: that of `published` when it was hashed.
    finite:    every number in it is known to be finite.
    """

    path: Path
    sha256: str
    source: str
    revision: str | None
    bytes: int
    published: Path
    through: str | None = None
    converted: str | None = None
    dropped: tuple[str, ...] = ()
    own: bool = False
    key: str = field(default="", compare=False)
    stamp: FileStamp | None = field(default=None, compare=False)
    finite: bool = field(default=False, compare=False)


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
    return hashlib.sha256(address.encode(errors="surrogatepass")).hexdigest()[:24]


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
        content = msgspec.json.encode(record)
        with saving(file):
            write_file(file, content)
    except (CacheError, UnicodeEncodeError) as error:
        case = error.case if isinstance(error, CacheError) else "Its name is not UTF-8."
        log.warning(
            "%s is verified but can't be remembered, so each load hashes it again: %s",
            printable(record.path),
            case,
        )


def note_finite(address: str, path: Path) -> None:
    """Remembers that every number in the file of that address is finite, if it still is the file
    that was verified."""
    record = read(address)
    if record and record.holds(path) and not record.finite:
        write(replace(record, finite=True))


def forget(record: Record) -> None:
    """Drops the record."""
    file_of(record.address).unlink(missing_ok=True)


def read_record(file: Path) -> Record | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=Record)
    except UNREADABLE:
        return None


TRY_AGAIN = (
    "Try once more. If it stays so, that place now has another file, which should not be used; "
    "name a different one."
)


@dataclass(frozen=True)
class Checksum:
    """A sha256 in hex, or its first 8 or more digits, and who gave it.

    error: what is raised if the file is another.
    fix:   what to do then.
    """

    sha256: str
    by: str
    error: type[WeightsError] = IntegrityError
    fix: str = TRY_AGAIN

    def matches(self, digest: str) -> bool:
        """Whether a file with that sha256 is the expected one."""
        return digest.startswith(self.sha256)

    def mismatch_error(self, failure: str, digest: str) -> WeightsError:
        """The error for a file with another sha256."""
        is_now, expected = digest[:SHA256_DIGITS_SHOWN], self.sha256[:SHA256_DIGITS_SHOWN]
        return self.error(
            failure,
            f"Its sha256 is {is_now}, but {self.by} says {expected}.",
            self.fix,
        )


def first_mismatch(checksums: Iterable[Checksum], digest: str) -> Checksum | None:
    """The first checksum that a file with that sha256 does not match."""
    return next((checksum for checksum in checksums if not checksum.matches(digest)), None)


def sha256_of(path: Path) -> str:
    """The sha256 of a file, in hex.

    Raises:
        CacheError: it can't be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CacheError(
            f"{path} can't be verified.",
            f"It can't be read: {error.strerror}.",
            "Make it readable, or remove it.",
        ) from error
