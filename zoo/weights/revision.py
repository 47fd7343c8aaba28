"""Resolves an open revision or file on the Hub to one commit and one file, and records it."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

import msgspec

from zoo import environment
from zoo.environment import home
from zoo.errors import CacheError, OfflineError, SourceError
from zoo.files import write_file
from zoo.limits import UNREADABLE
from zoo.paths import OutsideFolder, inside
from zoo.registry.card import HubSource
from zoo.text import join_first
from zoo.weights.deadline import window, within
from zoo.weights.disk import saving
from zoo.weights.records import key_of
from zoo.weights.repository import folder, snapshot, translate_errors
from zoo.weights.retry import with_retries
from zoo.weights.sources import COMMIT, HubSpec

log = logging.getLogger("zoo")

DEFAULT_FILE = "model.safetensors"
DEFAULT_REVISION = "main"
MAX_FILES_SHOWN = 5  # files that a message names


class NoSuchFile(SourceError):
    """The repository has no file of that name at that revision."""


def pin_revision(spec: HubSpec) -> HubSource:
    """The pinned source; a branch or tag is looked up on the Hub each time, a commit only once.

    Raises:
        OfflineError: it takes the Hub, and the network is switched off.
        SourceError: the Hub has no such repository, revision or file, or can't be reached.
    """
    if spec.source:
        return spec.source
    moving = not COMMIT.fullmatch(spec.revision or DEFAULT_REVISION)
    if environment.offline() or not moving:
        source = _recall(spec) or _from_client_cache(spec)
        if source:
            return source
    if environment.offline():
        case = (
            "Which commit and file that is, is not known on this machine, and the network is "
            "switched off."
        )
        raise OfflineError(
            _failure(spec),
            case,
            f"Load it once on a connected machine, or pin it: hub:{spec.repo}@COMMIT:FILE",
        )
    source = _look_up(spec)
    _remember(spec, source)
    return source


def _look_up(spec: HubSpec) -> HubSource:
    from huggingface_hub import HfApi

    revision = spec.revision or DEFAULT_REVISION

    def ask() -> HubSource:
        with translate_errors(_text(spec), spec.repo, revision=revision):
            info = HfApi(endpoint=environment.endpoint()).model_info(
                spec.repo, revision=revision, timeout=environment.timeout()
            )
        commit = info.sha or revision
        if not COMMIT.fullmatch(commit):
            raise SourceError(
                _failure(spec),
                "The Hub names no commit for it.",
                "Pin it: hub:org/repo@COMMIT:FILE",
            )
        names = [sibling.rfilename for sibling in info.siblings or []]
        if spec.file and names and spec.file not in names:
            shown = join_first([f"'{name}'" for name in names], MAX_FILES_SHOWN)
            raise NoSuchFile(
                _failure(spec), "That revision has no such file.", f"Name another: it has {shown}."
            )
        return HubSource(repo=spec.repo, revision=commit, file=spec.file or _only(spec, names))

    return with_retries(lambda: within(ask, seconds=window()), _text(spec))


def _only(spec: HubSpec, names: Iterable[str]) -> str:
    """The file of weights among those of a repository."""
    weights = sorted(name for name in names if name.endswith(".safetensors"))
    if DEFAULT_FILE in weights:
        return DEFAULT_FILE
    if len(weights) == 1:
        return weights[0]
    case = (
        f"The repository has {len(weights)} files of weights: {', '.join(weights)}."
        if weights
        else "It has no .safetensors file."
    )
    example = weights[0] if weights else "FILE"
    raise SourceError(
        _failure(spec),
        case,
        f"Name one: hub:{spec.repo}@{spec.revision or DEFAULT_REVISION}:{example}",
    )


def _from_client_cache(spec: HubSpec) -> HubSource | None:
    """The cached answer of the Hub's client, without asking the Hub."""
    revision = spec.revision or DEFAULT_REVISION
    try:
        ref = inside(folder(spec.repo) / "refs", revision)
    except OutsideFolder:
        return None
    commit = ref.read_text().strip() if ref.is_file() else revision
    files = snapshot(spec.repo, commit)
    if not COMMIT.fullmatch(commit) or not files.is_dir():
        return None
    names = [path.relative_to(files).as_posix() for path in files.rglob("*.safetensors")]
    file = spec.file or (_only(spec, names) if names else None)
    return HubSource(repo=spec.repo, revision=commit, file=file) if file else None


def _remember(spec: HubSpec, source: HubSource) -> None:
    file = _memory(spec)
    try:
        with saving(file):
            write_file(file, msgspec.json.encode(source))
    except CacheError as error:
        log.warning("%s can't be remembered for offline use: %s", _text(spec), error.case)


def _recall(spec: HubSpec) -> HubSource | None:
    try:
        return msgspec.json.decode(_memory(spec).read_bytes(), type=HubSource)
    except UNREADABLE:
        return None


def _memory(spec: HubSpec) -> Path:
    return home() / "revisions" / f"{key_of(_text(spec))}.json"


def _text(spec: HubSpec) -> str:
    return f"hub:{spec.repo}@{spec.revision or DEFAULT_REVISION}" + (
        f":{spec.file}" if spec.file else ""
    )


def _failure(spec: HubSpec) -> str:
    return f"Weights '{_text(spec)}' can't be located."
