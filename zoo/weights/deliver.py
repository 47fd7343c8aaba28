"""Delivers one requested file: from a bundle that has it, otherwise from the first source that
works."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from zoo import environment
from zoo.errors import CacheError, LockError, SourceError, WeightsError
from zoo.registry.card import HubSource, Source
from zoo.weights.lock import Lock, Pin
from zoo.weights.manifest import Manifest
from zoo.weights.records import WeightsFile, WeightsRequest
from zoo.weights.sources import HubSpec, mirrored, parsed, printed
from zoo.weights.verification import ASKED, LOCK_FIX, Candidate, from_bundle, from_source, take

log = logging.getLogger("zoo")

OWN_FILE = "Use a file of your own as weights: file:PATH."
# A name for messages, and what makes the candidate, which may fail as well.
Try = tuple[str, Callable[[], Candidate]]


def current_lock() -> Lock:
    """The lock file to obey; an empty one where there is none.

    Raises:
        LockError: `ZOO_LOCK` names a file that is not there, or the file can't be read.
    """
    path = environment.lock_file()
    return Lock.read(path) if path else Lock()


def pinned(spec: HubSpec, pin: Pin) -> Source | HubSpec:
    """The source that the lock file gives for a place on the Hub. Raises: LockError where it is
    elsewhere."""
    place = parsed(pin.source)
    if not isinstance(place, HubSource) or place.repo != spec.repo:
        case = f"The lock file says {pin.source[:200]}, which is not a commit of hub:{spec.repo}."
        raise LockError(f"The lock file was obeyed for hub:{spec.repo}.", case, LOCK_FIX)
    return place


def deliver(
    request: WeightsRequest, lock: Lock, *, mirrors: Mapping[str, str], progress: bool | None = None
) -> WeightsFile:
    """The file of a request, verified; `mirrors` as in `fetch`, and errors as well."""
    environment.check_network()
    table = {**mirrors, **environment.mirrors()}
    failures: list[tuple[str, WeightsError]] = []
    pin = lock.pins.get(request.entry)
    for label, candidate in _bundled(request, pin) or _sources(request, pin, table):
        try:
            return take(candidate(), request, progress=progress)
        except CacheError:
            raise
        except WeightsError as error:
            log.info("%s: %s", label, error.case)
            failures.append((label, error))
    raise _failure(request.entry, failures)


def _bundled(request: WeightsRequest, pin: Pin | None) -> list[Try]:
    """The bundle's file, if it has one; then nothing else is tried."""
    folder = environment.bundle_folder()
    if folder is None:
        return []
    item = Manifest.read(folder).find(request, sha256=pin.sha256 if pin else None)
    if item is None:
        return []
    label = f"{item.file} in the bundle {folder}"
    return [(label, partial(from_bundle, item, folder, request, pin))]


def _sources(request: WeightsRequest, pin: Pin | None, mirrors: Mapping[str, str]) -> Iterator[Try]:
    """The card's sources, in order."""
    for source in request.sources:
        through = mirrored(source, mirrors)
        label = printed(source)
        if through != source:
            label += f", mirrored to {printed(through)}"
        yield label, partial(from_source, source, through, request, pin)


def _failure(entry: str, failures: list[tuple[str, WeightsError]]) -> WeightsError:
    """One error for all of them; of their own type if they agree, a SourceError if not."""
    asked = ASKED.format(entry)
    if not failures:
        return SourceError(asked, "The card names no source for them.", OWN_FILE)
    types = {type(error) for _, error in failures}
    fixes = {error.fix for _, error in failures}
    kind = types.pop() if len(types) == 1 else SourceError
    fix = fixes.pop() if len(fixes) == 1 else None
    reasons = [
        f"{label}: {error.case}" if fix else f"{label}: {error.case} {error.fix}"
        for label, error in failures
    ]
    listed = ["No source has them:", *(f"  {reason}" for reason in reasons)]
    case = reasons if len(reasons) == 1 else listed
    return kind(asked, case, fix.splitlines() if fix else OWN_FILE)
