"""Fetches weights from a bundle if it has them, otherwise from the first source that works."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path

from zoo import environment
from zoo.errors import CacheError, LockError, SourceError, WeightsError
from zoo.registry.card import MODEL, HubSource, Source, Weights
from zoo.weights.address import HubSpec, parsed, printed
from zoo.weights.candidate import LOCK_FIX, Candidate, from_bundle, from_source
from zoo.weights.lock import Lock, Pin
from zoo.weights.manifest import Manifest
from zoo.weights.mirror import mirrored, replace_prefix
from zoo.weights.revision import resolved
from zoo.weights.types import WeightsFile, WeightsRequest
from zoo.weights.verification import ASKED, take

log = logging.getLogger("zoo")

OWN_FILE = "Use a file of your own as weights: file:PATH."
NO_MIRRORS: Mapping[str, str] = {}


def fetch(
    weights: Weights,
    *,
    name: str,
    tag: str | None = None,
    role: str = MODEL,
    origin: Path | None = None,
    mirrors: Mapping[str, str] = NO_MIRRORS,
    progress: bool | None = None,
) -> WeightsFile:
    """One file of a card's weights, on this machine and verified.

    name, tag: what they are called, in the lock file, in bundles and in messages.
    role:      which of their files; the checkpoint becomes safetensors.
    origin:    the registry file that names them, or its folder.
    mirrors:   prefix of a source to its replacement; `ZOO_MIRRORS` adds to them.
    progress:  a bar while downloading; None shows one on a terminal.

    What `ZOO_BUNDLE` has is taken from there or not at all: a bundle that is damaged is never
    replaced by another source.

    Raises:
        SourceError: no source has them. If every source fails in one and the same way,
            OfflineError, IntegrityError, CheckpointError or LockError instead.
        CacheError: this machine can't keep them.
    """
    return _deliver(
        WeightsRequest(name, tag, weights, origin, role=role),
        Lock.current(),
        mirrors=mirrors,
        progress=progress,
    )


def locate(
    spec: str,
    *,
    state_key: str | None = None,
    mirrors: Mapping[str, str] = NO_MIRRORS,
    progress: bool | None = None,
) -> WeightsFile:
    """The weights at an explicit place, verified as far as their sha256 is known.

    spec:      `file:PATH`, `hub:org/repo[@REVISION][:FILE]` or `https://…`. On the Hub the revision
               is `main` and the file `model.safetensors`, or the only .safetensors there is, unless
               they are named; a branch or tag is looked up.
    state_key: where in a `.pth` the tensors are.

    Raises:
        As `fetch`.
    """
    lock, table = Lock.current(), {**mirrors, **environment.mirrors()}
    place = parsed(spec)
    if isinstance(place, HubSpec):
        pin = lock.pins.get(spec)
        place = _pinned(place, pin) if pin else parsed(replace_prefix(spec, table))
    source = resolved(place) if isinstance(place, HubSpec) else place
    wanted = WeightsRequest(
        spec, None, Weights(files={MODEL: [source]}, state_key=state_key), placed=True
    )
    return _deliver(wanted, lock, mirrors=mirrors, progress=progress)


def _pinned(spec: HubSpec, pin: Pin) -> Source | HubSpec:
    """The source that the lock file gives for a place on the Hub. Raises: LockError where it is
    elsewhere."""
    place = parsed(pin.source)
    if not isinstance(place, HubSource) or place.repo != spec.repo:
        case = f"The lock file says {pin.source[:200]}, which is not a commit of hub:{spec.repo}."
        raise LockError(f"The lock file was obeyed for hub:{spec.repo}.", case, LOCK_FIX)
    return place


def relock(
    choices: Iterable[WeightsRequest],
    *,
    mirrors: Mapping[str, str] = NO_MIRRORS,
    progress: bool | None = None,
) -> Lock:
    """A lock of what each of their files resolves to now, whatever an older lock says."""
    requests = [request for chosen in choices for request in chosen.every_file()]
    return Lock(
        {
            request.entry: Pin.of(_deliver(request, Lock(), mirrors=mirrors, progress=progress))
            for request in requests
        }
    )


def _deliver(
    wanted: WeightsRequest, lock: Lock, *, mirrors: Mapping[str, str], progress: bool | None
) -> WeightsFile:
    environment.check_network()
    table = {**mirrors, **environment.mirrors()}
    failures: list[tuple[str, WeightsError]] = []
    pin = lock.pins.get(wanted.entry)
    for label, offer in _bundled(wanted, pin) or _sources(wanted, pin, table):
        try:
            return take(offer(), wanted, progress=progress)
        except CacheError:
            raise
        except WeightsError as why:
            log.info("%s: %s", label, why.case)
            failures.append((label, why))
    raise _failure(wanted.entry, failures)


Try = tuple[
    str, Callable[[], Candidate]
]  # a name for messages, and what makes the offer, which may fail as well


def _bundled(wanted: WeightsRequest, pin: Pin | None) -> list[Try]:
    """The bundle's file, if it has one; then nothing else is tried."""
    folder = environment.bundle_folder()
    item = (
        Manifest.read(folder).find(wanted, sha256=pin.sha256 if pin else None) if folder else None
    )
    return (
        [(f"{item.file} in the bundle {folder}", partial(from_bundle, item, folder, wanted, pin))]
        if folder and item
        else []
    )


def _sources(wanted: WeightsRequest, pin: Pin | None, mirrors: Mapping[str, str]) -> Iterator[Try]:
    """The card's sources, in order."""
    for source in wanted.sources:
        through = mirrored(source, mirrors)
        label = (
            printed(source)
            if through == source
            else f"{printed(source)}, mirrored to {printed(through)}"
        )
        yield label, partial(from_source, source, through, wanted, pin)


def _failure(entry: str, failures: list[tuple[str, WeightsError]]) -> WeightsError:
    """One error for all of them; of their own type if they agree, a SourceError if not."""
    asked = ASKED.format(entry)
    if not failures:
        return SourceError(asked, "The card names no source for them.", OWN_FILE)
    types, fixes = {type(why) for _, why in failures}, {why.fix for _, why in failures}
    error = types.pop() if len(types) == 1 else SourceError
    fix = fixes.pop() if len(fixes) == 1 else None
    reasons = [
        f"{label}: {why.case}" if fix else f"{label}: {why.case} {why.fix}"
        for label, why in failures
    ]
    listed = ["No source has them:", *(f"  {reason}" for reason in reasons)]
    case = reasons if len(reasons) == 1 else listed
    return error(asked, case, fix.splitlines() if fix else OWN_FILE)
