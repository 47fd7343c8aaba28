"""An expected SHA-256, its origin, and the check against a file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from zoo.errors import CacheError, IntegrityError, WeightsError

SHOWN = 16


@dataclass(frozen=True)
class Checksum:
    """A sha256 in hex, or its first 8 or more digits, and who gave it.

    error: what is raised if the file is another.
    fix:   what to do then.
    """

    sha256: str
    by: str
    error: type[WeightsError] = IntegrityError
    fix: str = (
        "Try once more. If it stays so, that place now has another file, which should not be "
        "used; name a different one."
    )

    def kept(self, digest: str) -> bool:
        """Whether a file with that sha256 is the promised one."""
        return digest.startswith(self.sha256)

    def breach(self, asked: str, digest: str) -> WeightsError:
        """The error that says so."""
        return self.error(
            asked,
            f"Its sha256 is {digest[:SHOWN]}, but {self.by} says {self.sha256[:SHOWN]}.",
            self.fix,
        )


def first_mismatch(promises: Iterable[Checksum], digest: str) -> Checksum | None:
    """The first promise that a file with that sha256 breaks."""
    return next((promise for promise in promises if not promise.kept(digest)), None)


def sha256_of(path: Path) -> str:
    """The sha256 of a file, in hex.

    Raises:
        CacheError: it can't be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as why:
        raise CacheError(
            f"{path} can't be verified.",
            f"It can't be read: {why.strerror}.",
            "Make it readable, or remove it.",
        ) from why
