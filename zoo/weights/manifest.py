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
from zoo.weights.lock import Pin
from zoo.weights.records import WeightsRequest

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

    def serves(self, wanted: WeightsRequest) -> bool:
        """Whether it holds the tensors that these weights take from the published file."""
        return not self.ready or self.state_key == wanted.weights.state_key


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

    def find(self, wanted: WeightsRequest, *, sha256: str | None) -> Item | None:
        """The item of that sha256, or else of that name, or else of any sha256 that the card
        gives."""
        if sha256:
            return next((item for item in self._of(wanted) if item.sha256 == sha256), None)
        if wanted.entry in self.weights:
            return self.weights[wanted.entry]
        given = [source.sha256 for source in wanted.sources if source.sha256]
        return next(
            (
                item
                for item in self._of(wanted)
                if any(item.sha256.startswith(digest) for digest in given)
            ),
            None,
        )

    def _of(self, wanted: WeightsRequest) -> list[Item]:
        return [
            item
            for entry, item in self.weights.items()
            if entry == wanted.entry or item.serves(wanted)
        ]
