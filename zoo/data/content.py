"""SHA-256 of image files, each hashed once: later calls know an unchanged file by its stamp.

The stamp is size, modification time, change time and inode. Stamps and hashes are remembered in
`$ZOO_HOME/images/`, one file per folder of images, which is replaced in one step and carries a
checksum. A memory that is damaged, or can't be written, costs time and never gives a wrong hash.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import msgspec

from zoo.environment import home
from zoo.errors import CacheError, UsageError
from zoo.files import write_file
from zoo.weights.disk import saving

THREADS = 8
MOST_FILES = 64  # memories that are kept, the latest
MOST_IMAGES = 1_000_000  # in one of them, some 90 bytes each
# a file that changed so shortly before it is hashed may change again and keep its stamp
SETTLED_NS = 2_000_000_000

_Stamp = tuple[int, int, int, int]  # size, modification and change time in ns, inode
_Memory = dict[str, tuple[_Stamp, bytes]]  # by path below the folder


def hashes(paths: Sequence[Path]) -> list[str]:
    """The SHA-256 of each file, as 64 hex digits.

    Raises: OSError with the file's name where one is missing, no regular file, or can't be read.
    """
    absolute = [os.path.abspath(path) for path in paths]
    folder = _common_folder(absolute)
    place = _place(folder)
    known = read_memory(place) if place else {}
    now = time.time_ns()
    stamps = {path: stamp_of(path) for path in dict.fromkeys(absolute)}
    below = {path: os.path.relpath(path, folder) for path in stamps}
    digest_of: dict[str, bytes] = {}
    for path, stamp in stamps.items():
        before = known.get(below[path])
        if before is not None and before[0] == stamp:
            digest_of[path] = before[1]
    if todo := [path for path in stamps if path not in digest_of]:
        digests = dict(zip(todo, _hash_all(todo), strict=True))
        digest_of |= digests
        settled = [path for path in todo if now - max(stamps[path][1:3]) > SETTLED_NS]
        if place and settled:
            _remember(place, {below[path]: (stamps[path], digests[path]) for path in settled})
    return [digest_of[path].hex() for path in absolute]


def _place(folder: str) -> Path | None:
    """Where a folder's images are remembered; None for a user without a home."""
    try:
        return home() / "images" / hashlib.sha256(os.fsencode(folder)).hexdigest()[:24]
    except UsageError:
        return None


def _common_folder(paths: Sequence[str]) -> str:
    try:
        return os.path.dirname(paths[0]) if len(paths) == 1 else os.path.commonpath(paths)
    except (ValueError, IndexError):  # several drives, or no file at all
        return os.path.abspath(os.sep)


def stamp_of(path: str) -> _Stamp:
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for ever
        raise OSError(errno.EINVAL, "It is not a regular file", path)
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def _hash_all(paths: Sequence[str]) -> list[bytes]:
    """Hashes on threads, which overlap reading and hashing; the first error ends them."""
    if len(paths) == 1:
        return [hash_file(paths[0])]
    pool = ThreadPoolExecutor(THREADS)
    try:
        return list(pool.map(hash_file, paths))
    finally:
        pool.shutdown(cancel_futures=True)


def hash_file(path: str) -> bytes:
    try:
        with open(path, "rb", buffering=0) as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError as error:  # a failing disk names no file
        raise OSError(error.errno, error.strerror, path) from None


def read_memory(place: Path) -> _Memory:
    """The remembered digests; empty if the file is missing or damaged."""
    try:
        content = place.read_bytes()
        if hashlib.sha256(content[32:]).digest() != content[:32]:
            return {}
        return msgspec.msgpack.decode(content[32:], type=_Memory)
    except (OSError, msgspec.DecodeError):
        return {}


def _remember(place: Path, new: Mapping[str, tuple[_Stamp, bytes]]) -> None:
    """Adds to what is remembered by now, by other processes too."""
    whole = read_memory(place)
    for path in new:
        whole.pop(path, None)
    whole |= new
    latest = dict(list(whole.items())[-MOST_IMAGES:])
    body = msgspec.msgpack.encode(latest)
    with suppress(CacheError), saving(place):
        write_file(place, hashlib.sha256(body).digest() + body)
        _drop_oldest(place.parent)


def _drop_oldest(folder: Path) -> None:
    """Keeps the memories that were written last."""
    with suppress(OSError):
        files = [file for file in folder.iterdir() if not file.name.startswith(".")]
        files.sort(key=lambda file: file.stat().st_mtime_ns)
        for old in files[: max(0, len(files) - MOST_FILES)]:
            old.unlink(missing_ok=True)
