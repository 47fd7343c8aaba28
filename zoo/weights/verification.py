"""Verifies a file by its hash before it is read: one with a wrong hash is removed and fetched
again, or refused; a right one is recorded.

A `Candidate` is one way to have a file, with what its hash has to be.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from zoo import environment
from zoo.environment import home
from zoo.errors import (
    CheckpointError,
    IntegrityError,
    LockError,
    OfflineError,
    SourceError,
    WeightsError,
)
from zoo.paths import OutsideFolder, inside, is_inside
from zoo.registry.card import MODEL, FileSource, HubSource, PackageSource, Source, UrlSource
from zoo.weights import records
from zoo.weights.convert import Mappable, find_converted, mappable
from zoo.weights.lock import LOCK_FIX, Pin
from zoo.weights.manifest import Item
from zoo.weights.records import (
    TRY_AGAIN,
    Checksum,
    FileStamp,
    Record,
    WeightsFile,
    WeightsRequest,
    first_mismatch,
    sha256_of,
)
from zoo.weights.repository import Repository
from zoo.weights.sources import Local, RemoteSource, address_of, from_file, from_package
from zoo.weights.url import Url

log = logging.getLogger("zoo")

COPY_FIX = (
    "Copy the bundle to this machine again. To see what else is damaged in it: zoo verify "
    "--bundle {}"
)
FAILURE = "Weights '{}' are not available."
LOCAL_FIX = "The file was changed or cut since. Copy it again, or make it again: {}"
CHANGED_FIX = "Load it again, once it is written."
PLACED_FIX = "Load it where there is a network, or use a file that is here as weights: file:PATH"
FETCH_AGAIN_FIX = "Where there is a network: zoo verify --remove {0}, then zoo pull {0}"
CARRY_OVER_FIX = (
    "On a connected machine: zoo pull {0}; or carry it over: zoo bundle {0} --to FOLDER, then "
    "ZOO_BUNDLE=FOLDER here."
)


@dataclass(frozen=True)
class Candidate:
    """One way to have the file.

    location:  where its bytes are read from.
    source:    where it is published; its ending says what kind of file it is.
    key:       the address of its record.
    checksums: the sha256 that it has to have; none if unknown.
    through:   the mirror or bundle it comes from instead.
    original:  the published file, where this one was converted from it before.
    """

    location: RemoteSource | Local
    source: str
    key: str
    checksums: tuple[Checksum, ...]
    revision: str | None = None
    through: str | None = None
    original: Pin | None = None

    def all_checksums(self) -> tuple[Checksum, ...]:
        """Those that it has to have, and the source's own of the file it gave."""
        return (
            self.checksums
            if isinstance(self.location, Local)
            else (*self.checksums, *self.location.checksums())
        )


def from_source(
    source: Source, through: Source, request: WeightsRequest, pin: Pin | None
) -> Candidate:
    """The candidate of a source; `through` is what it is mirrored to, or itself.

    Raises:
        LockError: card and lock file contradict each other.
        SourceError: its package is not installed.
    """
    address = address_of(source)
    # A mirror is the user's own word, and so may be anywhere; a card's file is in the folder of the
    # card.
    origin = request.origin if through is source else None
    location = _location(through, address, origin, megabytes=request.weights.megabytes)
    fix = LOCAL_FIX.format(location.path) if isinstance(location, Local) else TRY_AGAIN
    checksums = _expected_checksums(pin, source.sha256, fix=fix)
    key = address
    if isinstance(source, HubSource | UrlSource):
        checksums = checksums or _first_use(key)
    elif isinstance(location, Local):
        key = f"file:{location.path}"
    revision = source.revision if isinstance(source, HubSource) else None
    return Candidate(
        location,
        address,
        key,
        checksums,
        revision,
        address_of(through) if through != source else None,
    )


def from_bundle(item: Item, folder: Path, request: WeightsRequest, pin: Pin | None) -> Candidate:
    """The candidate of a bundle.

    Raises:
        IntegrityError, or LockError if it is the locked one: it is none of the files that the card
        names today.
        SourceError: the file is missing.
    """
    published = [source.sha256 for source in request.sources]
    if all(published) and not any(item.sha256.startswith(each) for each in published if each):
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
    bundled = Checksum(item.digest, "bundle.json", fix=COPY_FIX.format(folder))
    checksums = (bundled,) if item.ready else (bundled, *_expected_checksums(pin, None))
    through = f"bundle:{local.path}"
    return Candidate(
        local, item.source, through, checksums, item.revision, through, item if item.ready else None
    )


def _location(
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


def _expected_checksums(
    pin: Pin | None, card_sha256: str | None, *, fix: str = TRY_AGAIN
) -> tuple[Checksum, ...]:
    """The checksums of the lock file and of the card, which can't overrule it."""
    by_card = (Checksum(card_sha256, "the card", fix=fix),) if card_sha256 else ()
    if pin is None:
        return by_card
    if card_sha256 and not pin.sha256.startswith(card_sha256):
        case = f"The card says sha256 {card_sha256[:12]}, but the lock file says {pin.sha256[:12]}."
        raise LockError("The locked file can't be used.", case, LOCK_FIX)
    return (Checksum(pin.sha256, "the lock file", LockError, LOCK_FIX), *by_card)


def _first_use(key: str) -> tuple[Checksum, ...]:
    """The sha256 of the first download, which holds from then on if none is published."""
    record = records.read(key)
    fix = f"If the change is meant, delete {records.file_of(key)} and fetch it again."
    return (Checksum(record.sha256, "the first download", fix=fix),) if record else ()


def take(candidate: Candidate, request: WeightsRequest, *, progress: bool | None) -> WeightsFile:
    """The weights that a candidate stands for.

    Raises:
        WeightsError: one of its subclasses, when the file can't be had, is another, or can't be
            read.
    """
    record = _unchanged_record(candidate)
    local = isinstance(candidate.location, Local)
    if not (record or local or candidate.location.find()) and (
        own_copy := _find_own_copy(candidate, request)
    ):
        return own_copy
    file = record or _verify(candidate, request, progress)
    path = Path(file.path)
    ready = _readable(candidate, path, file.sha256, request, checked=record is not None)
    if not file.holds(path):
        raise CheckpointError(
            FAILURE.format(request.entry), f"{path} changed while it was read.", CHANGED_FIX
        )
    if not record:
        records.write(file)
    original = candidate.original
    return WeightsFile(
        path=ready.path,
        sha256=original.sha256 if original else file.sha256,
        source=candidate.source,
        revision=candidate.revision,
        bytes=original.bytes if original else file.stamp.bytes,
        published=path,
        through=candidate.through,
        converted=original.converted if original else ready.converted,
        dropped=ready.dropped,
        own=not (local and ready.path == path) and _is_own(ready.path),
        key=ready.key or candidate.key,
        stamp=file.stamp,
        finite=ready.finite if ready.key else file.finite,
    )


def _find_own_copy(candidate: Candidate, request: WeightsRequest) -> WeightsFile | None:
    """The promised file from the zoo's own folder, where it came under another address or was
    converted from."""
    if not candidate.checksums:
        return None
    for record in records.read_all():
        path = Path(record.path)
        if record.address.startswith("converted:") or first_mismatch(
            candidate.checksums, record.sha256
        ):
            continue
        if _is_own(path) and record.holds(path):
            ready = _ready(request, path, record.sha256, path.name, checked=True)
        else:
            ready = _find_converted(request, record.sha256) or Mappable(path)
        if ready.converted or (_is_own(ready.path) and record.holds(path)):
            return WeightsFile(
                path=ready.path,
                sha256=record.sha256,
                source=candidate.source,
                revision=candidate.revision,
                bytes=record.stamp.bytes,
                published=path if path.is_file() else ready.path,
                through=candidate.through,
                converted=ready.converted,
                dropped=ready.dropped,
                own=True,
                key=ready.key or record.address,
                finite=ready.finite if ready.key else record.finite,
            )
    return None


def _ready(
    request: WeightsRequest, path: Path, sha256: str, name: str, *, checked: bool
) -> Mappable:
    """The checkpoint as safetensors; a file of another role as it is.

    checked: the file was well-formed before and has not changed.
    """
    if request.role != MODEL or (checked and name.endswith(".safetensors")):
        return Mappable(path)
    return mappable(
        path,
        sha256=sha256,
        name=name,
        state_key=request.weights.state_key,
        guessed=request.placed,
    )


def _find_converted(request: WeightsRequest, sha256: str) -> Mappable | None:
    return find_converted(sha256, request.weights.state_key) if request.role == MODEL else None


def _is_own(path: Path) -> bool:
    """Whether only the zoo writes a file: it is in the zoo's folder, and a regular file there."""
    return not path.is_symlink() and any(
        is_inside(path, home() / folder) for folder in ("files", "converted")
    )


def _unchanged_record(candidate: Candidate) -> Record | None:
    """The record of the file, if it has not changed since and is what it has to be: then
    nothing is hashed."""
    path = candidate.location.find()
    record = records.read(candidate.key) if path else None
    if path is None or record is None or not record.holds(path):
        return None
    return None if first_mismatch(candidate.checksums, record.sha256) else record


def _hash(candidate: Candidate, path: Path, entry: str) -> Record:
    """A file that was hashed now; the stamp is from before, so that a change meanwhile shows."""
    stamp = FileStamp.of(path)
    return Record(candidate.key, str(path), sha256_of(path), stamp, entry, candidate.revision)


def _verify(candidate: Candidate, request: WeightsRequest, progress: bool | None) -> Record:
    """Fetches the file if needed and hashes it. Raises: WeightsError if a checksum differs."""
    entry = request.entry
    failure, location = FAILURE.format(entry), candidate.location
    path = location.find()
    if path:
        file = _hash(candidate, path, entry)
        digest = file.sha256
        broken = first_mismatch(candidate.all_checksums(), digest)
        if not broken:
            return file
        if isinstance(location, Local):
            raise broken.mismatch_error(failure, digest)
        if environment.offline():
            raise _unusable(candidate, path, digest, broken, request)
        log.warning("%s is not what %s says. It is removed and fetched again.", path, broken.by)
        location.remove(digest)
    if isinstance(location, Local) or environment.offline():
        raise OfflineError(
            failure,
            "It is not on this machine, and the network is switched off.",
            _advice(CARRY_OVER_FIX, request),
        )
    return _download(location, candidate, entry, progress)


def _unusable(
    candidate: Candidate, path: Path, digest: str, broken: Checksum, request: WeightsRequest
) -> WeightsError:
    """The error for a file that can't be replaced now."""
    error, record = (
        broken.mismatch_error(FAILURE.format(request.entry), digest),
        records.read(candidate.key),
    )
    if record and record.sha256 == digest and broken.error is LockError:
        return error  # the file is as it was fetched, and the lock file names another
    return type(error)(
        error.failure,
        f"{path} is damaged, or is another file now. {error.case}",
        _advice(FETCH_AGAIN_FIX, request),
    )


def _advice(text: str, request: WeightsRequest) -> str:
    """Advice for a model; a place such as `hub:org/repo` is not a name that `zoo pull` knows."""
    return PLACED_FIX if request.placed else text.format(request.command_name)


def _download(
    location: RemoteSource, candidate: Candidate, entry: str, progress: bool | None
) -> Record:
    file = _hash(candidate, location.download(progress=progress), entry)
    digest = file.sha256
    broken = first_mismatch(candidate.all_checksums(), digest)
    if broken:
        # A wrong line in a lock file does not justify removing a good file.
        if broken.error is not LockError:
            location.remove(digest)
        raise broken.mismatch_error(FAILURE.format(entry), digest)
    if not candidate.all_checksums():
        log.info(
            "%s: nobody publishes its sha256. It is %s, and has to stay so from now on.",
            candidate.source,
            digest,
        )
    return file


def _readable(
    candidate: Candidate, path: Path, sha256: str, request: WeightsRequest, *, checked: bool
) -> Mappable:
    name = path.name if candidate.original else candidate.source.partition("?")[0]
    try:
        return _ready(request, path, sha256, name, checked=checked)
    except CheckpointError:
        if not isinstance(candidate.location, Local) and not candidate.checksums:
            # Nobody promised this file: it may be a login page in place of the real one.
            candidate.location.remove(sha256)
        raise
