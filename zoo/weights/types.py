"""The request that fetching starts from, and the file it returns."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from zoo.registry.card import MODEL, Source, Weights
from zoo.weights.cache_record import FileStamp


@dataclass(frozen=True)
class WeightsRequest:
    """One file of a set of weights of one model.

    origin: the registry file that names them, or its folder; `file` sources are in it.
    placed: the user named the file, and the state key of its weights is only the card's for its
        own.
    role:   which of the set's files: the checkpoint, or another that the family needs.
    """

    name: str
    tag: str | None
    weights: Weights
    origin: Path | None = None
    placed: bool = False
    role: str = MODEL

    @property
    def model(self) -> str:
        """The name of the set of weights, as a user types it."""
        return f"{self.name}.{self.tag}" if self.tag else self.name

    @property
    def entry(self) -> str:
        """The file's name in lock files, bundles and messages."""
        return self.model if self.role == MODEL else f"{self.model}:{self.role}"

    @property
    def sources(self) -> list[Source]:
        """The sources of the file, in the order to try."""
        return self.weights.files.get(self.role, [])

    def every_file(self) -> list[WeightsRequest]:
        """One request per file of the set, the checkpoint first."""
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
