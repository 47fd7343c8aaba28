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

# A process takes as long to start as to read a thousand files.
MIN_FILES_PER_PROCESS = 4000


class FilesToRead(msgspec.Struct, frozen=True):
    """Files to read, by their names in a folder."""

    folder: str
    names: list[str]


class DocumentColumns(msgspec.Struct):
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
    filenames, sizes, origins, counts: of each of them, as in `DocumentColumns`.
    labels:  (n,) positions in `classes`, which are in no order. corners: (n, 4) as written.
    flags:   name -> (n,) bool, if any file says it.
    """

    def __init__(
        self, names: Sequence[str], parts: Sequence[DocumentColumns], unread: Sequence[str] = ()
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
        label_of = {name: label for label, name in enumerate(self.classes)}
        self.labels = np.concatenate(
            [
                np.array([label_of[name] for name in part.classes], np.int64)[
                    np.frombuffer(part.labels, np.intc)
                ]
                for part in parts
            ]
        )
        corners = [np.frombuffer(part.corners, np.float64) for part in parts]
        self.corners = np.concatenate(corners).reshape(-1, 4)
        flag_names = [key for key in FLAGS if any(key in part.flags for part in parts)]
        self.flags = {
            key: np.concatenate([_flags(part, key) for part in parts]) for key in flag_names
        }


def read_documents(folder: Path, names: Sequence[str]) -> Documents:
    """The content of files, by their names in a folder.

    Raises: DataError naming the first that can't be read; where findings are collected, it is
        reported, and left out.
    """
    shares = [
        FilesToRead(os.fspath(folder), list(names[part]))
        for part in shares_of(len(names), least=MIN_FILES_PER_PROCESS)
    ]
    parts = spread(columns_of, shares)
    names_read: list[str] = []
    unread: list[str] = []
    for share, part in zip(shares, parts, strict=True):
        for row, failure, case, fix in part.flaws:
            name = os.path.basename(share.names[row])
            report_or_raise("unreadable_annotations", DataError(failure, case, fix), name)
            unread.append(share.names[row])
        names_read += [share.names[row] for row in part.rows]
    return Documents(names_read, parts, unread)


def columns_of(share: FilesToRead) -> DocumentColumns:
    """The content of a share of files."""
    columns, labels, corners = DocumentColumns(), array("i"), array("d")
    label_of: dict[str, int] = {}
    flags = {key: bytearray() for key in FLAGS}
    flags_present: set[str] = set()
    for row, name in enumerate(share.names):
        try:
            document = read_document(os.path.join(share.folder, name))
        except DataError as error:
            columns.flaws.append((row, error.failure, error.case, error.fix))
            continue
        columns.rows.append(row)
        columns.filenames.append(document.filename)
        columns.sizes.append(document.size)
        columns.origins.append(-1 if document.origin is None else document.origin)
        columns.counts.append(len(document.names))
        labels.extend([label_of.setdefault(label, len(label_of)) for label in document.names])
        for box in document.corners:
            corners.extend(box)
        for key, values in flags.items():
            values.extend(document.flags[key])
        flags_present |= document.flags_present
    columns.classes = list(label_of)
    columns.labels, columns.corners = labels.tobytes(), corners.tobytes()
    columns.flags = {key: bytes(values) for key, values in flags.items() if key in flags_present}
    return columns


def _flags(part: DocumentColumns, key: str) -> NDArray[np.bool_]:
    """A flag of each object of a part, False where none of its files says it."""
    if key in part.flags:
        return np.frombuffer(part.flags[key], np.bool_)
    return np.zeros(sum(part.counts), np.bool_)
