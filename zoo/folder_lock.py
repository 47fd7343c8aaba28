"""Gives a folder to one process at a time; a second process is told who holds it."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from zoo.files import write_file

LOCK, HOLDER = ".lock", ".lock-holder"
UNKNOWN_HOLDER = "Another process"


class FolderHeld(Exception):
    """Another process holds the folder; its text names that process."""


@contextmanager
def hold_folder(folder: Path) -> Iterator[None]:
    """Holds a folder, which is made where there is none; the system frees it if this process dies.

    Raises: FolderHeld if another process holds it; OSError if the lock can't be written.
    """
    from filelock import FileLock, Timeout  # deferred: most commands lock no folder

    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise FolderHeld(_holder(folder)) from None
    try:
        with suppress(OSError):  # it only serves the message
            write_file(folder / HOLDER, _this_process(), durable=False)
        yield
    finally:
        with suppress(OSError):
            (folder / HOLDER).unlink()
        lock.release()


def _this_process() -> str:
    return f"Process {os.getpid()} on {platform.node()}, since {datetime.now():%Y-%m-%d %H:%M}"


def _holder(folder: Path) -> str:
    """Who holds a folder; an instant after it was locked that may not be written yet."""
    with suppress(OSError, ValueError):
        return (folder / HOLDER).read_text(encoding="utf-8")[:200] or UNKNOWN_HOLDER
    return UNKNOWN_HOLDER
