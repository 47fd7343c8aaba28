"""Opening what a user named: regular files only, so that a pipe, socket or device can neither hang
nor feed without end."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO, TypeAlias

Named: TypeAlias = str | os.PathLike[str]

NAME_BYTES = 255  # of a file's name, on nearly every file system

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class NotRegular(OSError):
    """It is there, and is a pipe, a socket or a device; `strerror` says which."""


def open_regular(path: Named) -> BinaryIO:
    """The file, opened for reading bytes.

    Raises:
        NotRegular: it is a pipe, a socket or a device, and none of its content was read.
        OSError: it can't be opened, as `open` says it.
        ValueError: there is a null byte in the path.
    """
    check_regular(path)  # opening a device may do something by itself
    file = open(path, "rb", opener=_without_waiting)  # noqa: SIM115 - who asked for it closes it
    try:
        _check(os.fstat(file.fileno()).st_mode, path)  # it may have been replaced in between
    except BaseException:
        file.close()
        raise
    return file


def read_regular(path: Named) -> bytes:
    """The content of the file. Raises: as `open_regular`."""
    with open_regular(path) as file:
        return file.read()


def read_text(path: Named) -> str:
    """The content of the file, which is UTF-8. Raises: as `open_regular`, and
    UnicodeDecodeError."""
    return read_regular(path).decode("utf-8")


def check_regular(path: Named) -> Path:
    """The path, for a library that opens it by itself. Folders pass: whoever opens one says so.

    Raises: as `open_regular`.
    """
    _check(os.stat(path).st_mode, path)
    return Path(path)


def kind_of(path: Named) -> str:
    """What is there: `a regular file`, `a folder`, `a named pipe`. Raises: OSError where nothing
    is."""
    return _kind(os.stat(path).st_mode)


def _kind(mode: int) -> str:
    return _KINDS.get(stat.S_IFMT(mode), "a regular file")


def _check(mode: int, path: Named) -> None:
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise NotRegular(errno.EINVAL, f"Is {_kind(mode)}, not a regular file", os.fspath(path))


def _without_waiting(path: str, flags: int) -> int:
    """Opens at once where `open` would wait for somebody to write into a pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def shortened(name: str, most: int = NAME_BYTES) -> str:
    """The name with as many of its first letters as fit into so many bytes, the suffix kept."""
    if len(os.fsencode(name)) <= most:
        return name
    stem, suffix = os.path.splitext(name)
    suffix = suffix if len(os.fsencode(suffix)) < most // 2 else ""
    room = most - len(os.fsencode(suffix))
    while len(os.fsencode(stem)) > room:
        stem = stem[:-1]
    return stem + suffix
