"""Resolves a model's name and its weights to verified files."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from os import PathLike, fspath
from pathlib import Path

from zoo import environment
from zoo.errors import CacheError, NameNotFound, SourceError, UsageError, WeightsError
from zoo.registry import Catalogue, Choice
from zoo.registry.card import MODEL, Weights
from zoo.registry.exported import FORMATS
from zoo.registry.folder import FILE_PREFIX, HUB_PREFIX, WEIGHTS_ENDINGS
from zoo.registry.requirements import check_requirements
from zoo.weights.hub_model import hub_model
from zoo.weights.lock import Lock, Pin, pinned_source
from zoo.weights.manifest import Manifest
from zoo.weights.records import WeightsFile, WeightsRequest, sha256_of
from zoo.weights.revision import pin_revision
from zoo.weights.sources import HubSpec, address_of, mirrored, parse_source, replace_prefix
from zoo.weights.tags import with_tag
from zoo.weights.verification import FAILURE, Candidate, from_bundle, from_source, take

log = logging.getLogger("zoo")

EXPLICIT = ("file:", "hub:", "https://", "http://")
RANDOM = "random"  # what the command line calls weights=False
EXPORTED = tuple(FORMATS)
NO_MIRRORS: Mapping[str, str] = {}
OWN_FILE = "Use a file of your own as weights: file:PATH."
# A name for messages, and what makes the candidate, which may fail as well.
Try = tuple[str, Callable[[], Candidate]]


@dataclass(frozen=True)
class Resolved:
    """A model and its verified files, as a name and a `weights` argument resolve once for a run.

    choice:  the card, and the weights that the name stands for.
    files:   by role, the checkpoint as `model`; empty for random weights.
    weights: what the card says of the checkpoint; None for a file of the user's own and for random
        weights.
    """

    choice: Choice
    files: Mapping[str, WeightsFile]
    weights: Weights | None

    @property
    def name(self) -> str:
        """The model's name with these weights: with its tag if they are the card's own."""
        own = self.weights is not None and self.weights is self.choice.weights
        return self.choice.name if own else self.choice.entry.name

    @property
    def file(self) -> WeightsFile | None:
        """The checkpoint; None for random weights."""
        return self.files.get(MODEL)

    @property
    def exported_file(self) -> Path | None:
        """The exported file that the name stands for, or None."""
        origin = self.choice.entry.origin
        return Path(origin) if origin.endswith(EXPORTED) else None

    @property
    def others(self) -> dict[str, Path]:
        """The paths of the other files, by role."""
        return {role: file.path for role, file in self.files.items() if role != MODEL}


def request_for(choice: Choice) -> WeightsRequest:
    """The weights that a resolved name stands for.

    Raises:
        WeightsError: the card has none.
    """
    if choice.weights is None:
        raise WeightsError(
            f"No weights for '{choice.name}'.",
            "Its card has none.",
            f'Take random weights, zoo.load("{choice.name}", weights=False), '
            f'or a file of your own: zoo.load("{choice.name}", weights="file:PATH")',
            fix_cli=(
                f"Take random weights, zoo detect IMAGE --model {choice.name} --weights random, "
                "or a file of your own: --weights file:PATH"
            ),
        )
    entry = choice.entry
    listed = entry.qualified if entry.place else None
    folder = Path(entry.origin).parent
    return WeightsRequest(entry.identity, choice.tag, choice.weights, folder, listed=listed)


def choose(models: Catalogue, name: str, weights: bool | str | PathLike[str] = True) -> Choice:
    """The model that `name` stands for, with the tag that `weights` is, if it is one.

    Raises:
        NameNotFound, NameAmbiguous: nothing, or more than one thing, is meant.
    """
    if name.startswith(EXPLICIT) and not name.startswith((FILE_PREFIX, HUB_PREFIX)):
        raise _no_network(name)
    if name.startswith((FILE_PREFIX, HUB_PREFIX)) and name.endswith(WEIGHTS_ENDINGS):
        raise _no_network(name)
    choice = resolve_name(models, name)
    if not isinstance(weights, str) or is_weights_source(weights):
        return choice
    if weights.endswith(WEIGHTS_ENDINGS) or "/" in weights:
        raise NameNotFound(
            f"The weights '{weights}' of the model '{name}' can't be used.",
            "That looks like a file; text without a prefix is a tag of the card's weights.",
            f'Say that it is a file: weights="file:{weights}"',
            fix_cli=f"Say that it is a file: --weights file:{weights}",
        )
    if weights == RANDOM and weights not in choice.entry.card.weights:
        raise NameNotFound(
            f"The weights '{weights}' of the model '{name}' can't be used.",
            "No weights on its card have that tag.",
            f'For random weights: zoo.load("{name}", weights=False)',
            fix_cli="For random weights: --weights random",
        )
    if name.startswith((FILE_PREFIX, HUB_PREFIX)):
        return with_tag(choice, name, weights)
    base, _, tag = name.partition(".")
    if tag and tag != weights:
        raise NameNotFound(
            f"The weights '{weights}' of the model '{name}' can't be used.",
            "Those are two different tags.",
            f'Keep one: zoo.load("{base}", weights="{weights}")',
            fix_cli=f"Keep one: --model {base} --weights {weights}",
        )
    return models.resolve(f"{choice.entry.qualified}.{weights}")


def resolve_name(models: Catalogue, name: str, *, lock: Lock | None = None) -> Choice:
    """The model that a name stands for: as `Catalogue.resolve`, and the card in the repository of
    `hub:org/name[@REVISION]`, which is fetched for it.

    lock: to obey; None is that of this machine.

    Raises: as `Catalogue.resolve`; WeightsError where the card can't be had.
    """
    if not name.startswith(HUB_PREFIX):
        return models.resolve(name)
    lock = current_lock() if lock is None else lock
    return hub_model(models, name, lock, fetch=partial(deliver, lock=lock, mirrors=models.mirrors))


def _no_network(name: str) -> NameNotFound:
    return NameNotFound(
        f"No model named '{name}'.",
        "That is a place for weights; the network they belong to has to be named as well.",
        f'Name it: zoo.load("yolox_nano", weights="{name}")',
        fix_cli=f"Name it: zoo detect IMAGE --model yolox_nano --weights {name}",
    )


def is_weights_source(weights: bool | str | PathLike[str]) -> bool:
    """Whether `weights` says where a file is, rather than which of the card's it is."""
    return isinstance(weights, PathLike) or (
        isinstance(weights, str) and weights.startswith(EXPLICIT)
    )


def resolve(
    models: Catalogue,
    choice: Choice,
    weights: bool | str | PathLike[str] = True,
    *,
    progress: bool | None = None,
) -> Resolved:
    """The verified files of a choice: of its card's weights, of a place (see `locate`), or none.

    weights: as `choose` was given it; False for random weights.

    Raises:
        MissingExtra: the card requires what is not installed; nothing is fetched then.
        WeightsError: they can't be had, or the card has none.
    """
    if choice.entry.card.requires:
        check_requirements(choice.entry.card, choice.name)
    if choice.entry.origin.endswith(EXPORTED):
        return _resolve_exported(choice, Path(choice.entry.origin), weights)
    if weights is False:
        return Resolved(choice, {}, None)
    if is_weights_source(weights):
        spec = f"file:{fspath(weights)}" if isinstance(weights, PathLike) else str(weights)
        return _resolve_source(models, choice, spec, progress=progress)
    request = request_for(choice)
    return Resolved(choice, _fetch_files(models, request.every_file(), progress), request.weights)


def _resolve_exported(choice: Choice, path: Path, weights: bool | str | PathLike[str]) -> Resolved:
    """An exported file, which is its own weights. Raises: UsageError where others are wanted."""
    if weights is not True and weights != choice.tag:
        raise UsageError(
            f"{path} can't be loaded with weights={weights!r:.80}.",
            "The weights of an exported file are in it.",
            "Leave weights out, or name the model that the file was made of.",
        )
    file = WeightsFile(
        path, sha256_of(path), f"{FILE_PREFIX}{path}", None, path.stat().st_size, path
    )
    return Resolved(choice, {MODEL: file}, choice.weights)


def _fetch_files(
    models: Catalogue, requests: Iterable[WeightsRequest], progress: bool | None
) -> dict[str, WeightsFile]:
    return {
        request.role: fetch(
            request.weights,
            name=request.name,
            tag=request.tag,
            role=request.role,
            origin=request.origin,
            mirrors=models.mirrors,
            progress=progress,
        )
        for request in requests
    }


def _resolve_source(
    models: Catalogue, choice: Choice, spec: str, *, progress: bool | None
) -> Resolved:
    """The checkpoint at a place; the other files that the family needs are the card's."""
    file = locate(
        spec,
        state_key=choice.weights.state_key if choice.weights else None,
        mirrors=models.mirrors,
        progress=progress,
    )
    every = choice.entry.card.weights.values()
    published = next((weights for weights in every if _is_published(file, weights)), None)
    others = request_for(choice).every_file()[1:] if choice.weights else []
    return Resolved(choice, {MODEL: file, **_fetch_files(models, others, progress)}, published)


def _is_published(file: WeightsFile, weights: Weights) -> bool:
    """Whether a file given by hand is one of the card's own, and so needs the same settings."""
    return any(
        source.sha256 and file.sha256.startswith(source.sha256) for source in weights.files[MODEL]
    )


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
    return deliver(
        WeightsRequest(name, tag, weights, origin, role=role),
        current_lock(),
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
    lock, table = current_lock(), {**mirrors, **environment.mirrors()}
    place = parse_source(spec)
    if isinstance(place, HubSpec):
        pin = lock.pins.get(spec)
        place = pinned_source(place, pin) if pin else parse_source(replace_prefix(spec, table))
    source = pin_revision(place) if isinstance(place, HubSpec) else place
    request = WeightsRequest(
        spec, None, Weights(files={MODEL: [source]}, state_key=state_key), placed=True
    )
    return deliver(request, lock, mirrors=mirrors, progress=progress)


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
            request.entry: Pin.of(deliver(request, Lock(), mirrors=mirrors, progress=progress))
            for request in requests
        }
    )


def current_lock() -> Lock:
    """The lock file to obey; an empty one where there is none.

    Raises:
        LockError: `ZOO_LOCK` names a file that is not there, or the file can't be read.
    """
    path = environment.lock_file()
    return Lock.read(path) if path else Lock()


def deliver(
    request: WeightsRequest, lock: Lock, *, mirrors: Mapping[str, str], progress: bool | None = None
) -> WeightsFile:
    """The file of a request, verified; `mirrors` as in `fetch`, and errors as well."""
    environment.check_network()
    table = {**mirrors, **environment.mirrors()}
    failures: list[tuple[str, WeightsError]] = []
    pin = lock.pins.get(request.entry)
    for label, candidate in _bundle_file(request, pin) or _sources(request, pin, table):
        try:
            return take(candidate(), request, progress=progress)
        except CacheError:
            raise
        except WeightsError as error:
            log.info("%s: %s", label, error.case)
            failures.append((label, error))
    raise _failure(request.entry, failures)


def _bundle_file(request: WeightsRequest, pin: Pin | None) -> list[Try]:
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
        label = address_of(source)
        if through != source:
            label += f", mirrored to {address_of(through)}"
        yield label, partial(from_source, source, through, request, pin)


def _failure(entry: str, failures: list[tuple[str, WeightsError]]) -> WeightsError:
    """One error for all of them; of their own type if they agree, a SourceError if not."""
    failure = FAILURE.format(entry)
    if not failures:
        return SourceError(failure, "The card names no source for them.", OWN_FILE)
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
    return kind(failure, case, fix.splitlines() if fix else OWN_FILE)
