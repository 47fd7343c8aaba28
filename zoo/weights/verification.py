"""Verifies a file by its hash before it is read: one with a wrong hash is removed and fetched
again, or refused; a right one is recorded."""

from __future__ import annotations

import logging
from pathlib import Path

from zoo import environment
from zoo.environment import home
from zoo.errors import CheckpointError, LockError, OfflineError, WeightsError
from zoo.paths import is_inside
from zoo.registry.card import MODEL
from zoo.weights import cache_record
from zoo.weights.cache_record import FileStamp, Record
from zoo.weights.candidate import Candidate
from zoo.weights.checksum import Checksum, first_mismatch, sha256_of
from zoo.weights.convert import Mappable, converted, mappable
from zoo.weights.local import Local
from zoo.weights.remote_source import RemoteSource
from zoo.weights.types import WeightsFile, WeightsRequest

log = logging.getLogger("zoo")

ASKED = "Weights '{}' are not available."
CHANGED_FIX = "Load it again, once it is written."
PLACE = "Load it where there is a network, or use a file that is here as weights: file:PATH"
AGAIN = "Where there is a network: zoo verify --remove {0}, then zoo pull {0}"
CARRY = (
    "On a connected machine: zoo pull {0}; or carry it over: zoo bundle {0} --to FOLDER, then "
    "ZOO_BUNDLE=FOLDER here."
)


def take(offer: Candidate, wanted: WeightsRequest, *, progress: bool | None) -> WeightsFile:
    """The weights that an offer stands for.

    Raises:
        WeightsError: one of its subclasses, when the file can't be had, is another, or can't be
            read.
    """
    known = _known(offer)
    kept = (
        None
        if known or isinstance(offer.carrier, Local) or offer.carrier.find()
        else _kept(offer, wanted)
    )
    if kept:
        return kept
    file = known or _verified(offer, wanted, progress)
    path = Path(file.path)
    ready = _readable(offer, path, file.sha256, wanted, checked=known is not None)
    if not file.holds(path):
        raise CheckpointError(
            ASKED.format(wanted.entry), f"{path} changed while it was read.", CHANGED_FIX
        )
    if not known:
        cache_record.write(file)
    original = offer.original
    return WeightsFile(
        path=ready.path,
        sha256=original.sha256 if original else file.sha256,
        source=offer.source,
        revision=offer.revision,
        bytes=original.bytes if original else file.stamp.bytes,
        published=path,
        through=offer.through,
        converted=original.converted if original else ready.converted,
        dropped=ready.dropped,
        own=_is_own(ready.path),
        key=ready.key or offer.key,
        stamp=file.stamp,
        finite=ready.finite if ready.key else file.finite,
    )


def _kept(offer: Candidate, wanted: WeightsRequest) -> WeightsFile | None:
    """The promised file from the zoo's own folder, where it came under another address or was
    converted from."""
    if not offer.promises:
        return None
    for one in cache_record.read_all():
        path = Path(one.path)
        if one.address.startswith("converted:") or first_mismatch(offer.promises, one.sha256):
            continue
        if _is_own(path) and one.holds(path):
            ready = _ready(wanted, path, one.sha256, path.name, checked=True)
        else:
            ready = _converted(wanted, one.sha256) or Mappable(path)
        if ready.converted or (_is_own(ready.path) and one.holds(path)):
            return WeightsFile(
                path=ready.path,
                sha256=one.sha256,
                source=offer.source,
                revision=offer.revision,
                bytes=one.stamp.bytes,
                published=path if path.is_file() else ready.path,
                through=offer.through,
                converted=ready.converted,
                dropped=ready.dropped,
                own=True,
                key=ready.key or one.address,
                finite=ready.finite if ready.key else one.finite,
            )
    return None


def _ready(
    wanted: WeightsRequest, path: Path, sha256: str, name: str, *, checked: bool
) -> Mappable:
    """The checkpoint as safetensors; a file of another role as it is."""
    if wanted.role != MODEL:
        return Mappable(path)
    return mappable(
        path,
        sha256=sha256,
        name=name,
        state_key=wanted.weights.state_key,
        guessed=wanted.placed,
        checked=checked,
    )


def _converted(wanted: WeightsRequest, sha256: str) -> Mappable | None:
    return converted(sha256, wanted.weights.state_key) if wanted.role == MODEL else None


def _is_own(path: Path) -> bool:
    """Whether only the zoo writes a file: it is in the zoo's folder, and a regular file there."""
    return not path.is_symlink() and any(
        is_inside(path, home() / folder) for folder in ("files", "converted")
    )


def _known(offer: Candidate) -> Record | None:
    """The record of the file, if it has not changed since and is what it has to be: then
    nothing is hashed."""
    path = offer.carrier.find()
    known = cache_record.read(offer.key) if path else None
    if path and known and known.holds(path) and not first_mismatch(offer.promises, known.sha256):
        return known
    return None


def _hashed(offer: Candidate, path: Path, entry: str) -> Record:
    """A file that was hashed now; the stamp is from before, so that a change meanwhile shows."""
    stamp = FileStamp.of(path)
    return Record(offer.key, str(path), sha256_of(path), stamp, entry, offer.revision)


def _verified(offer: Candidate, wanted: WeightsRequest, progress: bool | None) -> Record:
    """The file and its sha256, which keeps every promise."""
    entry = wanted.entry
    asked, carrier = ASKED.format(entry), offer.carrier
    path = carrier.find()
    if path:
        file = _hashed(offer, path, entry)
        digest = file.sha256
        broken = first_mismatch(offer.all_promises(), digest)
        if not broken:
            return file
        if isinstance(carrier, Local):
            raise broken.breach(asked, digest)
        if environment.offline():
            raise _unusable(offer, path, digest, broken, wanted)
        log.warning("%s is not what %s says. It is removed and fetched again.", path, broken.by)
        carrier.remove(digest)
    if isinstance(carrier, Local) or environment.offline():
        raise OfflineError(
            asked,
            "It is not on this machine, and the network is switched off.",
            _advice(CARRY, wanted),
        )
    return _downloaded(carrier, offer, entry, progress)


def _unusable(
    offer: Candidate, path: Path, digest: str, broken: Checksum, wanted: WeightsRequest
) -> WeightsError:
    """The error for a file that can't be replaced now."""
    told, known = broken.breach(ASKED.format(wanted.entry), digest), cache_record.read(offer.key)
    if known and known.sha256 == digest and broken.error is LockError:
        return told  # the file is as it was fetched, and the lock file names another
    return type(told)(
        told.asked,
        f"{path} is damaged, or is another file now. {told.case}",
        _advice(AGAIN, wanted),
    )


def _advice(text: str, wanted: WeightsRequest) -> str:
    """Advice for a model; a place such as `hub:org/repo` is not a name that `zoo pull` knows."""
    return PLACE if wanted.placed else text.format(wanted.model)


def _downloaded(
    carrier: RemoteSource, offer: Candidate, entry: str, progress: bool | None
) -> Record:
    file = _hashed(offer, carrier.download(progress=progress), entry)
    digest = file.sha256
    broken = first_mismatch(offer.all_promises(), digest)
    if broken:
        if (
            broken.error is not LockError
        ):  # a wrong line in a lock file does not justify removing a good file
            carrier.remove(digest)
        raise broken.breach(ASKED.format(entry), digest)
    if not offer.all_promises():
        log.info(
            "%s: nobody publishes its sha256. It is %s, and has to stay so from now on.",
            offer.source,
            digest,
        )
    return file


def _readable(
    offer: Candidate, path: Path, sha256: str, wanted: WeightsRequest, *, checked: bool
) -> Mappable:
    name = path.name if offer.original else offer.source.partition("?")[0]
    try:
        return _ready(wanted, path, sha256, name, checked=checked)
    except CheckpointError:
        if not isinstance(offer.carrier, Local) and not offer.promises:
            offer.carrier.remove(
                sha256
            )  # nobody promised this file: it may be a login page in place of the real one
        raise
