"""Reads regular files only, so that a pipe, socket or device can neither hang nor feed without end;
writes files whole or not at all.

Every file that the project writes is written by `atomic_write` or `write_file`.
"""

from __future__ import annotations

import errno
import gc
import itertools
import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeAlias

from zoo.drafts import draft_folder_of, draft_of

Named: TypeAlias = str | os.PathLike[str]

NAME_BYTES = 255  # of a file's name, on nearly every file system

DISK_FULL_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class NotRegular(OSError):
    """The path is a pipe, a socket or a device; `strerror` says which."""


def open_regular(path: Named) -> BinaryIO:
    """The file, opened for reading bytes.

    Raises:
        NotRegular: it is a pipe, a socket or a device, and none of its content was read.
        OSError: it can't be opened, as `open` says it.
        ValueError: there is a null byte in the path.
    """
    _check(os.stat(path).st_mode, path)  # opening a device may do something by itself
    file = open(path, "rb", opener=_without_waiting)  # noqa: SIM115 - who failure for it closes it
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
    """The kind of a file: `a regular file`, `a folder`, `a named pipe`. Raises: OSError."""
    return _kind(os.stat(path).st_mode)


def _kind(mode: int) -> str:
    return _KINDS.get(stat.S_IFMT(mode), "a regular file")


def _check(mode: int, path: Named) -> None:
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise NotRegular(errno.EINVAL, f"Is {_kind(mode)}, not a regular file", os.fspath(path))


def _without_waiting(path: str, flags: int) -> int:
    """Opens a pipe without waiting for a writer."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


@contextmanager
def pause_gc() -> Iterator[None]:
    """Pauses garbage collection: a network or a million records are many objects, none of them
    garbage, and scanning them takes as long as making them."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@contextmanager
def atomic_write(path: Named, *, durable: bool = True, read_only: bool = False) -> Iterator[Path]:
    """A new, empty file to write to; when the block ends well it takes the place of `path` at once,
    else it is removed. Its folder is made where there is none.

    A pipe or a device is written to as it is, and a folder is refused.
    durable:   a power cut leaves the old file, the new one or none, but no half.
    read_only: nobody is to write to it afterwards, because models that live map it into memory.
    Raises: OSError where that fails; `write_errors` puts it into words.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        number = errno.ENOTDIR
        raise NotADirectoryError(number, os.strerror(number), str(path.parent)) from None
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if path.exists() and not path.is_file():
        yield path
        return
    with draft_of(path) as draft:
        yield draft
        move_into_place(draft, path, durable=durable, read_only=read_only)


def write_file(path: Named, content: bytes | str, *, durable: bool = True) -> None:
    """Writes a file, text as UTF-8, as `atomic_write` does. Raises: OSError."""
    with atomic_write(path, durable=durable) as draft:
        draft.write_bytes(content.encode() if isinstance(content, str) else content)


@contextmanager
def atomic_folder(path: Named) -> Iterator[Path]:
    """A new, empty folder to fill with `write_into` and `copy_into`; when the block ends well it
    becomes `path` at once, else it is removed. The folder above it is made where there is none.

    Raises: OSError where that fails, or where `path` is there and is not an empty folder.
    """
    path = Path(path).absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    if not is_free(path):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    if path.is_dir():
        path.rmdir()
    with draft_folder_of(path) as draft:
        yield draft
        draft.rename(path)


def is_free(path: Path) -> bool:
    """Whether `atomic_folder` can take the place: nothing is there, or an empty folder. Raises:
    OSError."""
    if path.is_dir() and not path.is_symlink():
        return not any(path.iterdir())
    return not os.path.lexists(path)


def free_place(path: Path) -> Path:
    """The first of `site-2`, `site-3` … that is free."""
    named = path if path.name else path.absolute()
    places = (Path(f"{named}-{number}") for number in itertools.count(2))
    return next(place for place in places if is_free(place))


def write_into(folder: Path, files: Iterable[tuple[str, bytes | str]]) -> None:
    """Writes files, by their names in a draft folder, text as UTF-8. Raises: OSError."""
    written_paths: set[str] = set()
    for name, content in files:
        path = _in_draft(folder, name, written_paths)
        with open(path, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)


def copy_into(folder: Path, files: Iterable[tuple[str, Path | bytes]]) -> None:
    """Copies files, by their new names in a draft folder; bytes are the content itself. Raises:
    OSError."""
    written_paths: set[str] = set()
    for name, source in files:
        path = _in_draft(folder, name, written_paths)
        if isinstance(source, bytes):
            with open(path, "wb") as file:
                file.write(source)
        else:
            shutil.copyfile(check_regular(source), path)


def _in_draft(folder: Path, name: str, written_paths: set[str]) -> str:
    """The path of a file in a draft folder, whose own folder is made. made: those that are there.

    Raises: FileExistsError where the name was used before.
    """
    path = os.path.join(folder, name)
    above = os.path.dirname(path)
    if above not in written_paths:
        os.makedirs(above, exist_ok=True)
        written_paths.add(above)
    if path in written_paths:
        raise FileExistsError(errno.EEXIST, "Two files have one name", name)
    written_paths.add(path)
    return path


def move_into_place(
    draft: Path, path: Path, *, durable: bool = True, read_only: bool = False
) -> None:
    """Moves a finished file to `path`; see `atomic_write`. Raises: OSError."""
    if read_only:
        draft.chmod(draft.stat().st_mode & ~0o222)
    if durable:
        with draft.open("rb") as file:
            os.fsync(file.fileno())
    draft.replace(path)
    if durable and os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # a name is durable once its folder is
        finally:
            os.close(folder)


@contextmanager
def write_errors(
    path: Named, error: Callable[[str, str, str], Exception], *, fix: str, failure: str = ""
) -> Iterator[None]:
    """Turns an OSError of writing `path` into `error(what failed, why, what to do)`; other errors
    pass.

    failure: what failed, as a sentence; else that the path can't be written.
    """
    try:
        yield
    except BrokenPipeError:  # the reader of a pipe left: not a file's fault
        raise
    except OSError as raised:
        if raised.errno is None:
            raise
        free = "Free some space. " if raised.errno in DISK_FULL_ERRORS else ""
        case = f"{os.strerror(raised.errno)}."
        raise error(failure or f"{os.fspath(path)} can't be written.", case, free + fix) from raised


def unwritable(folder: Path) -> str:
    """Why nothing can be written into a folder, which may not exist yet; empty if it can."""
    nearest = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not nearest.is_dir():
        return f"'{nearest}' is not a folder"
    if not os.access(nearest, os.W_OK | os.X_OK):
        return f"'{nearest}' can't be written: {os.strerror(errno.EACCES)}"
    return ""


def shortened(name: str, most: int = NAME_BYTES) -> str:
    """The name cut to fit into `most` bytes, the suffix kept."""
    if len(os.fsencode(name)) <= most:
        return name
    stem, suffix = os.path.splitext(name)
    suffix = suffix if len(os.fsencode(suffix)) < most // 2 else ""
    room = most - len(os.fsencode(suffix))
    while len(os.fsencode(stem)) > room:
        stem = stem[:-1]
    return stem + suffix
