"""One place to get a file: the source, its expected hashes and its cache key."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from zoo.errors import IntegrityError, LockError, SourceError
from zoo.paths import OutsideFolder, inside
from zoo.registry.card import FileSource, HubSource, PackageSource, Source, UrlSource
from zoo.weights import cache_record
from zoo.weights.address import printed
from zoo.weights.checksum import Checksum
from zoo.weights.local import Local, from_file, from_package
from zoo.weights.lock import Pin
from zoo.weights.manifest import Item
from zoo.weights.remote_source import RemoteSource
from zoo.weights.repository import Repository
from zoo.weights.types import WeightsRequest
from zoo.weights.url import Url

LOCK_FIX = "If the change is meant, accept it: zoo lock"
COPY_FIX = (
    "Copy the bundle to this machine again. To see what else is damaged in it: zoo verify "
    "--bundle {}"
)


@dataclass(frozen=True)
class Candidate:
    """One way to have the file.

    source:   where it is published; its ending says what kind of file it is.
    key:      what it is remembered under.
    promises: what its sha256 has to be; none if unknown.
    through:  the mirror or bundle it comes from instead.
    original: the published file, where this one was converted from it before.
    """

    carrier: RemoteSource | Local
    source: str
    key: str
    promises: tuple[Checksum, ...]
    revision: str | None = None
    through: str | None = None
    original: Pin | None = None

    def all_promises(self) -> tuple[Checksum, ...]:
        """The promises, and the source's own checksum of the file it gave."""
        return (
            self.promises
            if isinstance(self.carrier, Local)
            else (*self.promises, *self.carrier.promises())
        )


def from_source(
    source: Source, through: Source, wanted: WeightsRequest, pin: Pin | None
) -> Candidate:
    """The candidate of a source; `through` is what it is mirrored to, or itself.

    Raises:
        LockError: card and lock file contradict each other.
        SourceError: its package is not installed.
    """
    address = printed(source)
    promises = _locked(pin, source.sha256)
    # A mirror is the user's own word, and so may be anywhere; a card's file is in the folder of the
    # card.
    origin = wanted.origin if through is source else None
    carrier = _carrier(through, address, origin, megabytes=wanted.weights.megabytes)
    key = address
    if isinstance(source, HubSource | UrlSource):
        promises = promises or _first_use(key)
    elif isinstance(carrier, Local):
        key = f"file:{carrier.path}"
    revision = source.revision if isinstance(source, HubSource) else None
    return Candidate(
        carrier, address, key, promises, revision, printed(through) if through != source else None
    )


def from_bundle(item: Item, folder: Path, wanted: WeightsRequest, pin: Pin | None) -> Candidate:
    """The candidate of a bundle.

    Raises:
        IntegrityError, or LockError if it is the locked one: it is none of the files that the card
        names today.
        SourceError: the file is missing.
    """
    given = [source.sha256 for source in wanted.sources]
    if all(given) and not any(item.sha256.startswith(one) for one in given if one):
        case = f"Its sha256 is {item.sha256[:12]}, and the card names no such file any more."
        error, fix = (
            (LockError, LOCK_FIX)
            if pin
            else (IntegrityError, "Make it again: zoo bundle NAME --to FOLDER")
        )
        raise error("The bundle can't be used.", case, fix)
    try:
        path = inside(folder, item.file)
    except OutsideFolder as error:
        raise SourceError(
            "The bundle can't be used.", f"In it, {error}.", COPY_FIX.format(folder)
        ) from None
    if not path.is_file():
        raise SourceError(
            "The bundle can't be used.",
            "The bundle lists that file, but it is not there.",
            COPY_FIX.format(folder),
        )
    local = Local(path.absolute())
    # What the bundle says comes first: where both are broken, the copy is damaged, and no lock file
    # would repair it.
    whole = Checksum(item.digest, "bundle.json", fix=COPY_FIX.format(folder))
    promises = (whole,) if item.ready else (whole, *_locked(pin, None))
    through = f"bundle:{local.path}"
    return Candidate(
        local, item.source, through, promises, item.revision, through, item if item.ready else None
    )


def _carrier(
    source: Source, address: str, origin: Path | None, *, megabytes: float | None
) -> RemoteSource | Local:
    match source:
        case HubSource():
            return Repository(source)
        case UrlSource():
            # The card's number is rounded, and may be in other megabytes.
            return Url(
                source.url, address, most=None if megabytes is None else int(2e6 * (megabytes + 1))
            )
        case PackageSource():
            return from_package(source)
        case FileSource():
            return from_file(source, origin=origin)


def _locked(pin: Pin | None, given: str | None) -> tuple[Checksum, ...]:
    """The promises of the lock file and of the card, which can't overrule it."""
    by_card = (Checksum(given, "the card"),) if given else ()
    if pin is None:
        return by_card
    if given and not pin.sha256.startswith(given):
        case = f"The card says sha256 {given[:12]}, but the lock file says {pin.sha256[:12]}."
        raise LockError("The locked file can't be used.", case, LOCK_FIX)
    return (Checksum(pin.sha256, "the lock file", LockError, LOCK_FIX), *by_card)


def _first_use(key: str) -> tuple[Checksum, ...]:
    """The sha256 of the first download, which holds from then on if none is published."""
    known = cache_record.read(key)
    fix = f"If the change is meant, delete {cache_record.file_of(key)} and fetch it again."
    return (Checksum(known.sha256, "the first download", fix=fix),) if known else ()
