"""What somebody said a file's sha256 is, and whether the file keeps it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from zoo.errors import CacheError, IntegrityError, WeightsError


@dataclass(frozen=True)
class Promise:
    """A sha256 in hex, or its first 8 or more digits, and who gave it.

    error: what is raised if the file is another.
    fix:   what to do then, if the file itself is believed.
    """

    sha256: str
    by: str
    error: type[WeightsError] = IntegrityError
    fix: str = "If the file was changed on purpose, its new sha256 has to be published first; do not use it before."

    def kept(self, digest: str) -> bool:
        """Whether a file with that sha256 is the promised one."""
        return digest.startswith(self.sha256)

    def breach(self, asked: str, digest: str) -> WeightsError:
        """The error that says so."""
        shown = digest[: max(len(self.sha256), 12)]
        return self.error(asked, f"Its sha256 is {shown}, but {self.by} says {self.sha256}.", self.fix)


def first_broken(promises: Iterable[Promise], digest: str) -> Promise | None:
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
            f"{path} was to be verified.", f"It can't be read: {why.strerror}.", "Make it readable, or remove it."
        ) from why
