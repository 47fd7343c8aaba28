"""Writes files to disk whole or not at all, by one process at a time, with clear errors."""

from __future__ import annotations

import errno
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zoo.drafts import draft_of
from zoo.errors import CacheError

log = logging.getLogger("zoo")

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
PATIENT_SECONDS = 5.0
HOME_FIX = "Set ZOO_HOME to a folder that can be written, with room: ZOO_HOME=/path/to/folder"


@contextmanager
def saving(path: Path, *, fix: str = HOME_FIX) -> Iterator[None]:
    """Turns what the disk says against keeping `path` into a CacheError; other errors pass."""
    try:
        yield
    except OSError as why:
        if why.errno is None:
            raise
        case = f"{path} can't be written: {os.strerror(why.errno)}."
        free = "Free some space. " if why.errno in FULL else ""
        raise CacheError("The file can't be saved on this machine.", case, free + fix) from why


@contextmanager
def replacing(path: Path, *, read_only: bool = False) -> Iterator[Path]:
    """A new file to write to; when the block ends well it takes the place of `path` at once, else
    it is removed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with draft_of(path) as draft:
        yield draft
        settle(draft, path, read_only=read_only)


def settle(draft: Path, path: Path, *, read_only: bool = False) -> None:
    """Moves a finished file into place, so that a power cut leaves the old one, the new one or
    none, but no half.

    read_only: nobody is to write to it afterwards, because models that live map it into memory.
    """
    if read_only:
        draft.chmod(draft.stat().st_mode & ~0o222)
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    draft.replace(path)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds the lock next to `path`; the kernel lets go of it if this process dies."""
    from filelock import FileLock, Timeout

    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path.with_name(path.name + ".lock"))
    try:
        lock.acquire(timeout=PATIENT_SECONDS)
    except Timeout:
        log.info("Waiting for another process that is working on %s", path)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def check_room(path: Path, needed: int) -> None:
    """Raises a CacheError before the first byte if `needed` bytes will not fit next to `path`."""
    free = shutil.disk_usage(path.parent).free
    if needed > free:
        case = f"It takes {needed / 1e6:.1f} MB, and {path.parent} has {free / 1e6:.1f} MB left."
        raise CacheError(
            "The file can't be saved on this machine.", case, "Free some space. " + HOME_FIX
        )
