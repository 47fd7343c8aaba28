"""The disk that weights are kept on: one process at a time, room for a file, and its errors."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from zoo.errors import CacheError
from zoo.files import write_errors

log = logging.getLogger("zoo")

PATIENT_SECONDS = 5.0
HOME_FIX = "Set ZOO_HOME to a folder that can be written, with room: ZOO_HOME=/path/to/folder"


def saving(path: Path, *, fix: str = HOME_FIX) -> AbstractContextManager[None]:
    """Turns an OSError of writing `path` into a CacheError; other errors pass."""
    return write_errors(path, CacheError, fix=fix)


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Holds the lock next to `path`; the kernel releases it if this process dies."""
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


def check_room(path: Path, needed: int, *, fix: str = HOME_FIX) -> None:
    """Raises a CacheError before the first byte if `needed` bytes will not fit next to `path`."""
    free = shutil.disk_usage(path.parent).free
    if needed > free:
        case = f"It takes {needed / 1e6:.1f} MB, and {path.parent} has {free / 1e6:.1f} MB left."
        raise CacheError(f"{path} can't be written.", case, "Free some space. " + fix)
