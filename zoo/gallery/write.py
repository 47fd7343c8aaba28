"""Writes a page as one HTML file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from zoo.errors import ImageError, UsageError
from zoo.files import Named, write_errors, write_file
from zoo.gallery.shown import PARTS, Gallery, css_color
from zoo.pages import one_file
from zoo.text import pluralize

SUFFIXES = (".html", ".htm")
SCRIPTS = ("state.js", "tiles.js", "viewer.js", "filters.js", "page.js")
NAME_ANOTHER_FILE = "Name another file: --report report.html"


@dataclass(frozen=True)
class Written:
    """A page that was written: where, how large, and how many of the images are on it."""

    path: Path
    bytes: int
    shown: int
    total: int

    def __str__(self) -> str:
        """`report.html (2.1 MB, 40 of 90 images)`."""
        some = f"{self.shown:,} of " if self.shown < self.total else ""
        size = f"{self.bytes / 1e6:.1f} MB, {some}{pluralize(self.total, 'image')}"
        return f"{self.path} ({size})"


def write(gallery: Gallery, to: Named) -> Written:
    """Writes the page in one step.

    Raises: UsageError, ImageError as `writable_page`, or if the disk refuses it.
    """
    path = writable_page(to)
    content = html_of(gallery).encode()
    with write_errors(path, _error(path), fix=NAME_ANOTHER_FILE, failure=_failure(path)):
        write_file(path.resolve(), content)  # a link stays a link
    return Written(path, len(content), len(gallery.images), gallery.total)


def html_of(gallery: Gallery) -> str:
    """The page as text."""
    data = msgspec.json.encode(_light(gallery)).decode()
    return one_file("zoo.gallery", title=gallery.title, json=data, scripts=SCRIPTS)


def writable_page(to: Named) -> Path:
    """The path of a page, which can be written; nothing is written yet.

    Raises: UsageError for a name that does not end in .html; ImageError for a folder that can't be
        written.
    """
    path = Path(to)
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(
            f"A page can't be written to '{path}'.",
            "Its name does not end in .html, which is what makes a browser open it.",
            NAME_ANOTHER_FILE,
        )
    if path.is_dir():
        raise _error(path)(_failure(path), "That is a folder.", NAME_ANOTHER_FILE)
    if not path.parent.is_dir():
        case = f"There is no folder '{path.parent}'."
        raise _error(path)(_failure(path), case, f"Make it first: mkdir -p {path.parent}")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise _error(path)(_failure(path), f"'{path.parent}' can't be written.", NAME_ANOTHER_FILE)
    return path


def _failure(path: Path) -> str:
    return f"A page can't be written to '{path}'."


def _error(path: Path) -> Any:
    def error(failure: str, case: str, fix: str) -> ImageError:
        return ImageError(failure, case, fix, file=str(path))

    return error


def _light(gallery: Gallery) -> dict[str, Any]:
    """The data of the page: only classes that a box has, labels moved together."""
    used = sorted(
        {
            box[0]
            for image in gallery.images
            for boxes in (image.found, image.truth)
            for box in boxes
        }
    )
    place = {label: at for at, label in enumerate(used)}
    images = [
        {
            "name": image.name,
            "width": image.width,
            "height": image.height,
            "jpeg": image.jpeg,
            "more": image.more,
            "found": [(place[box[0]], *box[1:]) for box in image.found],
            "truth": [(place[box[0]], *box[1:]) for box in image.truth],
        }
        for image in gallery.images
    ]
    return {
        "title": gallery.title,
        "summary": gallery.summary,
        "chosen": gallery.chosen,
        "total": gallery.total,
        "parts": PARTS,
        "score": gallery.score,
        "lowest": gallery.lowest,
        "iou": gallery.iou,
        "classes": [{"name": gallery.names[label], "color": css_color(label)} for label in used],
        "images": images,
        "unreadable": gallery.unreadable,
        "facts": list(gallery.facts.items()),
    }
