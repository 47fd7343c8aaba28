"""Drafts: temporary files next to their destination, which `zoo.files` moves there once they are
complete; removes those that killed processes left.

Each draft has one writer, whichever machine or container shares the folder. It is locked while it
is written; the system releases the lock when the process ends, however it ends. The next process to
write a draft removes the unlocked ones in that folder.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, where a file that somebody has open can't be removed
    fcntl = None  # type: ignore[assignment]

MIN_AGE_SECONDS = 60.0  # seconds; a draft is there for an instant before it is locked
# of the file's name in the draft's: names have a limit of 255 bytes, and a letter has up to four
MAX_NAME_LETTERS = 50
_DRAFT = re.compile(r"\..+\.\d+-[0-9a-f]+\.draft")
CLEARED: set[Path] = set()  # folders that this process has cleared


def draft_name(path: Path) -> Path:
    """A place to draft a file, unlike any other: processes of two containers share a number."""
    return path.with_name(
        f".{path.name[:MAX_NAME_LETTERS]}.{os.getpid()}-{secrets.token_hex(4)}.draft"
    )


@contextmanager
def draft_of(path: Path) -> Iterator[Path]:
    """A new, empty file next to `path`, for the caller to fill and move to `path`; removed if it
    is not moved.

    Raises: OSError where it can't be made.
    """
    if path.parent not in CLEARED:
        CLEARED.add(path.parent)
        clear(path.parent)
    draft = draft_name(path)
    held = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
    try:
        if fcntl is None:
            os.close(held)
        else:
            with suppress(OSError):  # a file system without locks
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield draft
    finally:
        with suppress(OSError):  # the error that ended the block is raised
            draft.unlink(missing_ok=True)
        if fcntl is not None:
            os.close(held)


@contextmanager
def draft_folder_of(path: Path) -> Iterator[Path]:
    """A new, empty folder next to `path`, for the caller to fill and move to `path`; removed if it
    is not moved. First removes those that killed processes left for the same `path`.

    Raises: OSError where it can't be made.
    """
    start = f".{path.name[:MAX_NAME_LETTERS]}."
    for left in path.parent.iterdir():
        if left.name.startswith(start) and _DRAFT.fullmatch(left.name) and left.is_dir():
            with suppress(OSError), _held_folder(left):
                shutil.rmtree(left)
    draft = draft_name(path)
    draft.mkdir()
    try:
        with _held_folder(draft):
            yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)  # it is not there if it was moved


@contextmanager
def _held_folder(folder: Path) -> Iterator[None]:
    """Raises: OSError where another process holds it."""
    if fcntl is None:
        yield
        return
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(held)


def clear(folder: Path, *, young: float = MIN_AGE_SECONDS) -> None:
    """Removes the drafts in a folder that no process holds. young: seconds since its last change
    below which a draft stays."""
    with suppress(OSError), os.scandir(folder) as entries:
        left = [
            Path(entry.path)
            for entry in entries
            if _DRAFT.fullmatch(entry.name) and entry.is_file(follow_symlinks=False)
        ]
        for draft in left:
            with suppress(OSError):  # gone, or in use
                if time.time() - draft.stat().st_mtime >= young:
                    _remove(draft)


def _remove(draft: Path) -> None:
    """Raises: OSError where a process holds it."""
    if fcntl is None:
        draft.unlink()
        return
    held = os.open(draft, os.O_RDWR)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        draft.unlink()
    finally:
        os.close(held)
