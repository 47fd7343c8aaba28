"""Many VOC files as columns, read in as many processes as there are cores where that is faster."""

from __future__ import annotations

import os
from array import array
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from zoo.data.finding import report_or_raise
from zoo.data.formats.voc.document import FLAGS, read_document
from zoo.data.workers import shares_of, spread
from zoo.errors import DataError

FILES = 4000  # of a process at least; it takes as long to start as to read a thousand


class Share(msgspec.Struct, frozen=True):
    """Files to read, by their names in a folder."""

    folder: str
    names: list[str]


class Columns(msgspec.Struct):
    """The content of files, one after another.

    rows:    positions of those that could be read; the columns up to `counts` are theirs.
    origins: the first pixel's number, -1 where a file does not say. counts: of objects.
    classes: names of classes; labels: C's int, one of them for each object. corners: float64, four
    flags:   difficult, truncated and occluded -> a byte for each object, if any file says it.
    flaws:   position, asked, case and fix of those that could not be read.
    """

    rows: list[int] = []
    filenames: list[str] = []
    sizes: list[tuple[int, int]] = []
    origins: list[int] = []
    counts: list[int] = []
    classes: list[str] = []
    labels: bytes = b""
    corners: bytes = b""
    flags: dict[str, bytes] = {}
    flaws: list[tuple[int, str, str, str]] = []


class Documents:
    """The files of a folder that could be read, as columns.

    names:   of the files. unread: of those that could not be read.
    filenames, sizes, origins, counts: of each of them, as in `Columns`.
    labels:  (n,) positions in `classes`, which are in no order. corners: (n, 4) as written.
    flags:   name -> (n,) bool, if any file says it.
    """

    def __init__(
        self, names: Sequence[str], parts: Sequence[Columns], unread: Sequence[str] = ()
    ) -> None:
        self.names = list(names)
        self.unread = list(unread)
        self.filenames = [name for part in parts for name in part.filenames]
        self.sizes = [size for part in parts for size in part.sizes]
        self.origins = np.array([origin for part in parts for origin in part.origins], np.int64)
        self.counts = np.array([count for part in parts for count in part.counts], np.int64)
        self.classes: list[str] = list(
            dict.fromkeys(name for part in parts for name in part.classes)
        )
        place = {name: label for label, name in enumerate(self.classes)}
        self.labels = np.concatenate(
            [
                np.array([place[name] for name in part.classes], np.int64)[
                    np.frombuffer(part.labels, np.intc)
                ]
                for part in parts
            ]
        )
        corners = [np.frombuffer(part.corners, np.float64) for part in parts]
        self.corners = np.concatenate(corners).reshape(-1, 4)
        said = [key for key in FLAGS if any(key in part.flags for part in parts)]
        self.flags = {key: np.concatenate([_flags(part, key) for part in parts]) for key in said}


def read_documents(folder: Path, names: Sequence[str]) -> Documents:
    """The content of files, by their names in a folder.

    Raises: DataError naming the first that can't be read; where findings are collected, it is
        reported, and left out.
    """
    shares = [
        Share(os.fspath(folder), list(names[part])) for part in shares_of(len(names), least=FILES)
    ]
    parts = spread(columns_of, shares)
    kept: list[str] = []
    unread: list[str] = []
    for share, part in zip(shares, parts, strict=True):
        for row, asked, case, fix in part.flaws:
            name = os.path.basename(share.names[row])
            report_or_raise("unreadable_annotations", DataError(asked, case, fix), name)
            unread.append(share.names[row])
        kept += [share.names[row] for row in part.rows]
    return Documents(kept, parts, unread)


def columns_of(share: Share) -> Columns:
    """The content of a share of files."""
    made, labels, corners = Columns(), array("i"), array("d")
    place: dict[str, int] = {}
    flags = {key: bytearray() for key in FLAGS}
    said: set[str] = set()
    for row, name in enumerate(share.names):
        try:
            document = read_document(os.path.join(share.folder, name))
        except DataError as error:
            made.flaws.append((row, error.asked, error.case, error.fix))
            continue
        made.rows.append(row)
        made.filenames.append(document.filename)
        made.sizes.append(document.size)
        made.origins.append(-1 if document.origin is None else document.origin)
        made.counts.append(len(document.names))
        labels.extend([place.setdefault(label, len(place)) for label in document.names])
        for box in document.corners:
            corners.extend(box)
        for key, values in flags.items():
            values.extend(document.flags[key])
        said |= document.said
    made.classes = list(place)
    made.labels, made.corners = labels.tobytes(), corners.tobytes()
    made.flags = {key: bytes(values) for key, values in flags.items() if key in said}
    return made


def _flags(part: Columns, key: str) -> NDArray[np.bool_]:
    """A flag of each object of a part, False where none of its files says it."""
    if key in part.flags:
        return np.frombuffer(part.flags[key], np.bool_)
    return np.zeros(sum(part.counts), np.bool_)
