"""Paths that others name: relative ones in cards, bundles, boards and annotations stay inside their
folder, links included.

A path that comes out of a file which somebody else may have written goes through here before it
is opened, linked to or removed.
"""

from __future__ import annotations

import re
from pathlib import Path

from zoo.printable import printable

MAX_PATH_LETTERS_SHOWN = 80  # letters of a path that a message repeats
_FORMATS = (
    "apng avif bmp gif heic heif j2k jfif jp2 jpe jpeg jpg mpo pbm pgm png pnm ppm qoi tga tif "
    "tiff webp"
)
IMAGE_SUFFIXES = frozenset(f".{ending}" for ending in _FORMATS.split())
_DRIVE = re.compile(r"[A-Za-z]:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class OutsideFolder(ValueError):
    """A path that can't be used; its text says why, as in `'../a' leads out of its folder`."""


def check_relative(name: str) -> None:
    """Looks at the text alone: relative, `/` between folders, no `..`, no control characters.

    Raises:
        OutsideFolder: it is another kind of path.
    """
    flaw = _flaw(name)
    if flaw:
        raise OutsideFolder(f"'{printable(name, limit=MAX_PATH_LETTERS_SHOWN)}' {flaw}")


def inside(folder: Path, name: str) -> Path:
    """The path `name` in `folder`, which need not exist; where it is a link, its end is in
    `folder`.

    Raises:
        OutsideFolder: it leads out of `folder`, by its text or by a link.
    """
    check_relative(name)
    path = folder / name
    if not is_inside(path, folder):
        shown = printable(name, limit=MAX_PATH_LETTERS_SHOWN)
        raise OutsideFolder(f"'{shown}' is a link that leads out of its folder")
    return path


def is_inside(path: Path, folder: Path) -> bool:
    """Whether a path is in a folder once all links in both are followed; a link that goes round is
    not."""
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # links that go round: RuntimeError up to Python 3.12
        return False


def _flaw(name: str) -> str | None:
    if not name.strip():
        return "is empty"
    if _CONTROL.search(name):
        return "has control characters in it"
    if name.startswith("/") or _DRIVE.match(name):
        return "is an absolute path"
    if "\\" in name:
        return "has a backslash, and folders are separated by /"
    if ".." in name and ".." in name.split("/"):
        return "leads out of its folder"
    return None
