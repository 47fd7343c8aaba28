"""Image files below a folder, found as careless annotations name them; their sizes, by their
headers."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from zoo.paths import IMAGE_SUFFIXES

THREADS = 8
_TURNED = range(5, 9)  # EXIF orientations that swap width and height
_ORIENTATION = 0x0112
_DRIVE = re.compile(r"^[A-Za-z]:")


class ImageFolder:
    """The image files below a folder; `find` takes names in another case, with the folders of
    another machine, or without suffix."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files = walk(folder, IMAGE_SUFFIXES)
        self._exact = set(self.files)
        self._lower: dict[str, str] = {}
        self._stems: dict[str, list[str]] = {}
        self._bare: dict[str, list[str]] = {}
        for name in self.files:
            self._lower.setdefault(name.lower(), name)
            self._stems.setdefault(stem(name).lower(), []).append(name)
            self._bare.setdefault(name.rpartition("/")[2].lower(), []).append(name)

    def find(self, name: str, *, near: str = "") -> str | None:
        """The file that is meant, by its name below the folder, or None.

        near: the subfolder to look in first. Folders that the name has and that are not there are
        those of another machine, and left out from the front; a name in several subfolders is none.
        """
        plain = slashes(name)
        while plain:
            for place in (f"{near}/{plain}" if near else plain, plain):
                if place in self._exact:
                    return place
                if place.lower() in self._lower:
                    return self._lower[place.lower()]
            if "/" not in plain:
                break
            plain = plain.partition("/")[2]
        same = self._bare.get(plain.lower(), [])
        return same[0] if len(same) == 1 else None

    def with_stem(self, name: str) -> list[str]:
        """The files that are called so but for their suffix, in any case."""
        return self._stems.get(name.lower(), [])


def slashes(name: str) -> str:
    """A path as Windows or another machine writes it, with `/` between folders, without drive or
    root."""
    plain = PurePosixPath(_DRIVE.sub("", name.strip()).replace("\\", "/"))
    return "/".join(part for part in plain.parts if part not in ("/", "//", "..", "."))


def stem(name: str) -> str:
    """The name without its suffix; its folders stay."""
    return os.path.splitext(name)[0]


def walk(folder: Path, suffixes: Sequence[str] | frozenset[str]) -> list[str]:
    """Files below a folder with one of these suffixes, in any case, by their names there, sorted.
    Hidden files and folders are left out."""
    walked = []
    top = os.fspath(folder)
    for place, folders, files in os.walk(top):
        folders[:] = [name for name in folders if not name.startswith(".")]
        below = os.path.relpath(place, top).replace(os.sep, "/")
        prefix = "" if below == "." else f"{below}/"
        walked += [
            prefix + name
            for name in files
            if os.path.splitext(name)[1].lower() in suffixes and not name.startswith(".")
        ]
    return sorted(walked)


def upright_sizes(paths: Sequence[Path]) -> NDArray[np.int64]:
    """(m, 2) width and height of image files as they are shown, by their headers; 0 for those that
    can't be read. EXIF orientation counts, as `zoo.images.read` applies it."""
    if not paths:
        return np.zeros((0, 2), np.int64)
    with ThreadPoolExecutor(THREADS) as pool:
        sizes = list(pool.map(_upright_size, paths, chunksize=64))
    return np.array(sizes, np.int64).reshape(-1, 2)


def _upright_size(path: Path) -> tuple[int, int]:
    header = read_header(path)
    if header is None:
        return 0, 0
    width, height, orientation = header
    return upright((width, height), orientation)


def upright(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """Width and height as an image is shown, of those that are stored and EXIF's orientation."""
    return size[::-1] if orientation in _TURNED else size


def read_header(path: Path | BinaryIO) -> tuple[int, int, int] | None:
    """Width and height as stored, and EXIF orientation (1 is upright), or None for what is no
    image."""
    import warnings

    from PIL import Image

    try:
        with warnings.catch_warnings(), Image.open(path) as image:
            warnings.simplefilter("ignore")
            return image.width, image.height, orientation_of(image)
    except Exception:  # whatever a damaged file makes a decoder raise
        return None


def orientation_of(image: Any) -> int:
    """EXIF's orientation of a Pillow image, from 1 to 8; 1 is upright, as anything else counts."""
    orientation = image.getexif().get(_ORIENTATION, 1)
    return orientation if orientation in range(1, 9) else 1
