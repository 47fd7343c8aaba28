"""Interface of a remote source: find, download, remove."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from zoo.weights.checksum import Checksum


class RemoteSource(Protocol):
    """A source whose file goes by the network, and so is ours to remove and to fetch again."""

    @property
    def revision(self) -> str | None:
        """The commit the file is of, where there are commits."""

    def find(self) -> Path | None:
        """The file, if it is on this machine; opens no socket."""

    def promises(self) -> tuple[Checksum, ...]:
        """The source's own sha256 of the file that was found."""

    def download(self, *, progress: bool | None) -> Path:
        """The file, fetched, or by now fetched by another process.

        Raises:
            SourceError: the source does not have it, refuses it, or can't be reached.
            CacheError: this machine can't keep it.
        """

    def remove(self, digest: str) -> None:
        """Removes a file that is not what it should be; `digest` is its sha256."""
