"""The manifest of a bundle, `bundle.json`: finds weights by name or by sha256."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from zoo import limits
from zoo.errors import SourceError
from zoo.paths import OutsideFolder, inside
from zoo.registry.card import FileSource
from zoo.weights.lock import Pin
from zoo.weights.records import WeightsRequest, sha256_of
from zoo.weights.sources import from_file

FILE = "bundle.json"
REGISTRY = "registry.yaml"


@dataclass(frozen=True)
class Item(Pin):
    """One file of a bundle, and what it is a copy of, or what it was converted from.

    file:      named by its own sha256: `converted` if the published file was a `.pth`, which is not
               copied, else `sha256`.
    state_key: where in that `.pth` the tensors were.
    """

    file: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\.\w+$")] = field(kw_only=True)
    state_key: str | None = field(default=None, kw_only=True)

    @property
    def ready(self) -> bool:
        """Whether it was converted before it was packed."""
        return self.converted is not None and self.file.startswith(self.converted)

    @property
    def digest(self) -> str:
        """The sha256 of the file in the bundle."""
        return self.converted if self.ready and self.converted else self.sha256

    def serves(self, request: WeightsRequest) -> bool:
        """Whether it holds the tensors that these weights take from the published file."""
        return not self.ready or self.state_key == request.weights.state_key


@dataclass(frozen=True)
class Manifest:
    """The files of one folder by entry, as in a lock file.

    registry: the sha256 of the registry file in it, with the cards that came from files of a user's
        own.
    """

    weights: Mapping[str, Item]
    version: int = 1
    registry: str | None = None

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Reads the manifest of a folder.

        Raises:
            SourceError: it is not a bundle.
        """
        try:
            raw = limits.read(inside(folder, FILE))
            limits.check_json(raw)
            return msgspec.json.decode(raw, type=cls)
        except (OutsideFolder, limits.LimitError, msgspec.DecodeError, UnicodeDecodeError) as error:
            case = f"Its {FILE} can't be read: {str(error).rstrip('.')}."
            fix = "Make one on a connected machine: zoo bundle NAME --to FOLDER"
            raise SourceError(f"The bundle {folder} can't be read.", case, fix) from error

    def find(self, request: WeightsRequest, *, sha256: str | None) -> Item | None:
        """The item of that sha256, or else of that name, or else of any sha256 that the card
        gives. Of a name it is not where the card's own file is here and has another sha256."""
        if sha256:
            return next((item for item in self._of(request) if item.sha256 == sha256), None)
        named = self.weights.get(request.entry)
        if named:
            here = _file_here(request)
            return named if here is None or sha256_of(here) == named.sha256 else None
        checksums = [source.sha256 for source in request.sources if source.sha256]
        return next(
            (
                item
                for item in self._of(request)
                if any(item.sha256.startswith(digest) for digest in checksums)
            ),
            None,
        )

    def _of(self, request: WeightsRequest) -> list[Item]:
        return [
            item
            for entry, item in self.weights.items()
            if entry == request.entry or item.serves(request)
        ]


def _file_here(request: WeightsRequest) -> Path | None:
    """The file of a card next to it, where it has one; a source before that goes first."""
    first = request.sources[0] if request.sources else None
    if not isinstance(first, FileSource):
        return None
    try:
        path = from_file(first, origin=request.origin).path
    except SourceError:  # it leads out of the folder, which fetching says
        return None
    return path if path.is_file() else None
