"""SHA-256 of files, cached on disk, so that an unchanged file is hashed only once.

A file counts as unchanged while its stamp stays the same: size, modification time, change time and
inode. Stamps and hashes are cached in `$ZOO_HOME/images/`, one cache file per hashed folder, which
is replaced atomically and carries a checksum. A damaged cache file, or one that can't be written,
costs time and never gives a wrong hash.
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

MAX_THREADS = 8
MAX_CACHE_FILES = 64  # the latest are kept
MAX_ENTRIES = 1_000_000  # of one cache file, some 90 bytes each
# A file that changed this shortly before it is hashed may change again and keep its stamp.
SETTLED_NS = 2_000_000_000

_Stamp = tuple[int, int, int, int]  # size, modification and change time in ns, inode
_Cache = dict[str, tuple[_Stamp, bytes]]  # stamp and digest, by path below the folder


def hashes(paths: Sequence[Path]) -> list[str]:
    """The SHA-256 of each file, as 64 hex digits.

    Raises: OSError naming the file that is missing, is not a regular file, or can't be read.
    """
    absolute = [os.path.abspath(path) for path in paths]
    folder = _common_folder(absolute)
    cache_file = _cache_file(folder)
    cache = read_cache(cache_file) if cache_file else {}
    now = time.time_ns()
    stamps = {path: stamp_of(path) for path in dict.fromkeys(absolute)}
    below = {path: os.path.relpath(path, folder) for path in stamps}
    digest_of: dict[str, bytes] = {}
    for path, stamp in stamps.items():
        entry = cache.get(below[path])
        if entry is not None and entry[0] == stamp:
            digest_of[path] = entry[1]
    if uncached := [path for path in stamps if path not in digest_of]:
        digests = dict(zip(uncached, _hash_all(uncached), strict=True))
        digest_of |= digests
        settled = [path for path in uncached if now - max(stamps[path][1:3]) > SETTLED_NS]
        if cache_file and settled:
            _add_to_cache(
                cache_file, {below[path]: (stamps[path], digests[path]) for path in settled}
            )
    return [digest_of[path].hex() for path in absolute]


def _cache_file(folder: str) -> Path | None:
    """The cache file of a folder; None for a user without a home."""
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
    """Size, times and inode of a file. Raises: OSError if it is not a regular file."""
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):  # opening a pipe would block
        raise OSError(errno.EINVAL, "It is not a regular file", path)
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def _hash_all(paths: Sequence[str]) -> list[bytes]:
    """The digests, from threads, which overlap reading and hashing; the first error ends them."""
    if len(paths) == 1:
        return [hash_file(paths[0])]
    pool = ThreadPoolExecutor(MAX_THREADS)
    try:
        return list(pool.map(hash_file, paths))
    finally:
        pool.shutdown(cancel_futures=True)


def hash_file(path: str) -> bytes:
    """The SHA-256 of a file, 32 bytes. Raises: OSError naming the file."""
    try:
        with open(path, "rb", buffering=0) as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError as error:  # a failing disk names no file
        raise OSError(error.errno, error.strerror, path) from None


def read_cache(cache_file: Path) -> _Cache:
    """The entries of a cache file; none if it is missing or damaged."""
    try:
        content = cache_file.read_bytes()
        if hashlib.sha256(content[32:]).digest() != content[:32]:
            return {}
        return msgspec.msgpack.decode(content[32:], type=_Cache)
    except (OSError, msgspec.DecodeError):
        return {}


def _add_to_cache(cache_file: Path, new: Mapping[str, tuple[_Stamp, bytes]]) -> None:
    """Adds entries to those that are in the file by now, also from other processes."""
    cache = read_cache(cache_file)
    for path in new:
        cache.pop(path, None)  # so that it is among the latest
    cache |= new
    latest = dict(list(cache.items())[-MAX_ENTRIES:])
    body = msgspec.msgpack.encode(latest)
    with suppress(CacheError), saving(cache_file):
        write_file(cache_file, hashlib.sha256(body).digest() + body)
        _drop_oldest(cache_file.parent)


def _drop_oldest(folder: Path) -> None:
    """Deletes all cache files but the `MAX_CACHE_FILES` that were written last."""
    with suppress(OSError):
        files = [file for file in folder.iterdir() if not file.name.startswith(".")]
        files.sort(key=lambda file: file.stat().st_mtime_ns)
        for old in files[: max(0, len(files) - MAX_CACHE_FILES)]:
            old.unlink(missing_ok=True)
