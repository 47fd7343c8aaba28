"""Image sources, and the ordered sequence that a folder, a glob or a list of them becomes."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any, TypeAlias, TypeGuard

import numpy as np
import PIL.Image
from torch import Tensor

Array: TypeAlias = np.ndarray[Any, Any]
Pixels: TypeAlias = bytes | bytearray | memoryview | PIL.Image.Image | Array | Tensor
Source: TypeAlias = str | os.PathLike[str] | Pixels
Sources: TypeAlias = Source | Iterable[Source]

_FORMATS = (
    "apng avif bmp gif heic heif j2k jfif jp2 jpe jpeg jpg mpo pbm pgm png pnm ppm qoi tga tif "
    "tiff webp"
)
FETCHED = ("http", "https")
_FILE = re.compile(r"file://(?=/)", re.IGNORECASE)
_SCHEME = re.compile(r"(?:([a-z][a-z0-9+.-]+)://|(data):)", re.IGNORECASE)
SUFFIXES = frozenset(f".{ending}" for ending in _FORMATS.split())


def expand(source: Sources) -> Iterator[Source]:
    """Yields one image after the other: a folder or glob becomes its files, a list or generator
    its items.

    A folder (not its subfolders) and a glob (`**` goes down) give the files with an image's
    suffix, hidden ones left out, in
    natural order: `frame2.png` before `frame10.png`. One that gives none comes out as itself, and
        reading it says so: a bad
    entry in a list does not hide the rest.
    """
    for one in source if _is_series(source) else (source,):
        text = _path_or_none(one)
        if text is not None:
            yield from _files(text)
        else:
            yield one  # type: ignore[misc]  # whatever else it is, `read` takes it or names it


def is_many(source: Sources) -> bool:
    """Whether the source stands for a sequence of images, even if of one, rather than for one
    image."""
    if isinstance(source, str | os.PathLike):
        text = _path_or_none(source)
        return text is not None and (os.path.isdir(text) or is_glob(text))
    return _is_series(source)


def path_of(source: str | os.PathLike[str]) -> str:
    """The path or URL as text; `~` is the home folder, and `file:///x.jpg` is the path `/x.jpg`."""
    text = os.fsdecode(source)
    if not _FILE.match(text):
        return os.path.expanduser(text)
    from urllib.request import url2pathname  # deferred: it imports http and ssl

    return url2pathname(text[len("file://") :])


def is_url(text: str) -> bool:
    """Whether the text is an address to fetch rather than a path."""
    return scheme_of(text) in FETCHED


def scheme_of(text: str) -> str | None:
    """How an address says that it is to be had, in lower case: `https`, `ftp`, `data`; None for a
    path."""
    found = _SCHEME.match(text)
    return (found[1] or found[2]).lower() if found else None


def is_glob(text: str) -> bool:
    """Whether the text is a pattern: it has wildcards, and no file is called exactly that."""
    return glob.has_magic(text) and scheme_of(text) is None and not os.path.lexists(text)


def name_of(source: object, *, position: int | None = None) -> str:
    """The name of an image in messages and `Detections.source`: file, URL or position."""
    if isinstance(source, str | os.PathLike):
        return os.fsdecode(source)
    file = getattr(source, "filename", None) if isinstance(source, PIL.Image.Image) else None
    unnamed = "image" if position is None else f"image {position}"
    return str(file) if file else unnamed


def images_in(folder: str) -> list[str]:
    """The images of a folder in natural order."""
    with os.scandir(folder) as found:
        return _images(file.path for file in found if not file.name.startswith("."))


def matches(pattern: str) -> list[str]:
    """The images that a glob matches, in natural order."""
    return _images(glob.iglob(pattern, recursive=True))


def _path_or_none(source: object) -> str | None:
    """The path or URL as text, or None for what is none, or does not tell it: reading it says
    so."""
    if not isinstance(source, str | os.PathLike):
        return None
    try:
        return path_of(source)
    except Exception:  # a path object has code of its own
        return None


def _is_series(source: object) -> TypeGuard[Iterable[Source]]:
    if isinstance(
        source,
        str
        | bytes
        | bytearray
        | memoryview
        | PIL.Image.Image
        | np.ndarray
        | Tensor
        | Mapping
        | Set,
    ):
        return False  # a mapping's keys are not images, and a set has no order: reading says so
    return isinstance(source, Iterable) and not hasattr(source, "read")


def _files(text: str) -> list[str]:
    try:
        found = images_in(text) if os.path.isdir(text) else matches(text) if is_glob(text) else []
    except OSError:  # a folder that may not be read
        found = []
    return found or [text]


def _images(paths: Iterable[str]) -> list[str]:
    kept = (
        path
        for path in paths
        if os.path.splitext(path)[1].lower() in SUFFIXES and not os.path.isdir(path)
    )
    return sorted(kept, key=lambda path: (_natural(path), path))


def _natural(path: str) -> list[int | str]:
    parts = re.split(r"(\d+)", path)  # text, digits, text, digits, ...
    return [int(part) if place % 2 else part.casefold() for place, part in enumerate(parts)]
