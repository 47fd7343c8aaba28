"""Writes a data set as a folder of VOC files, with `ImageSets` for its splits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice, repeat
from pathlib import Path
from xml.sax.saxutils import escape

import msgspec
import numpy as np

from zoo.data.dataset import Dataset
from zoo.data.formats.voc.document import FLAGS
from zoo.data.formats.voc.documents import MIN_FILES_PER_PROCESS
from zoo.data.formats.voc.reader import ANNOTATIONS, IMAGE_SETS, LABELS
from zoo.data.image_files import stem
from zoo.data.split_lists import list_text
from zoo.data.target_names import target_names
from zoo.data.workers import shares_of, spread
from zoo.errors import DataError
from zoo.files import atomic_folder, write_errors, write_file, write_into

OBJECTS_PER_BLOCK = 10_000  # objects whose text is made together
ORIGIN = 1  # the first pixel's number, as in VOC's own files
# Code points that XML has no place for.
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class FilesToWrite(msgspec.Struct, frozen=True):
    """Files to write, and the objects in them, one file after another.

    names:  of the images. counts: of objects of each.
    labels: int32, positions in `classes`, which are escaped. corners: float64, four of each object.
    flags:  difficult, truncated and occluded -> a byte for each object.
    """

    folder: str
    names: list[str]
    sizes: list[tuple[int, int]]
    counts: list[int]
    classes: list[str]
    labels: bytes
    corners: bytes
    flags: dict[str, bytes]


def write(dataset: Dataset, path: Path) -> None:
    """Writes `Annotations`, `ImageSets/Main` where there are splits, and `labels.txt`, which keeps
    the order of the classes.

    Pixels are counted from 1: a box from 0.0 to 10.0 is 1 to 10, and each file says so.
    Raises: DataError for names that can't be files, or where the disk says no.
    """
    names = target_names(dataset, by_stem=True)
    texts = [*names, *dataset.label_space.names]
    if bad := [text for text in texts if _UNWRITABLE.search(text)]:
        case = f"XML can't hold the name {bad[0]!r:.80}."
        raise DataError(f"{dataset.name} can't be written as VOC.", case, "Rename it.")
    with write_errors(path, DataError, fix="Name a new or an empty folder."):
        with atomic_folder(path / ANNOTATIONS) as draft:
            spread(write_share, list(_shares(dataset, names, draft)))
        if dataset.split_rows:
            with atomic_folder(path / IMAGE_SETS) as draft:
                write_into(draft, _sets(dataset, names))
        write_file(path / LABELS, list_text(dataset.label_space.names))


def _sets(dataset: Dataset, names: list[str]) -> Iterator[tuple[str, str]]:
    for split, rows in dataset.split_rows.items():
        yield f"Main/{split}.txt", list_text(stem(names[row]) for row in rows.tolist())


def _shares(dataset: Dataset, names: list[str], folder: Path) -> Iterator[FilesToWrite]:
    """The files to write, as many at once as a process takes."""
    truth = dataset.truth
    sizes = np.nan_to_num(dataset.sizes).astype(np.int64)
    corners = truth.boxes + np.array([ORIGIN, ORIGIN, 0, 0])
    classes = [escape(name) for name in truth.label_space.names]
    for part in shares_of(len(names), least=MIN_FILES_PER_PROCESS):
        boxes = slice(int(truth.starts[part.start]), int(truth.starts[part.stop]))
        flags = {
            key: np.asarray(truth.box_attributes[key][boxes], np.bool_).tobytes()
            for key in FLAGS
            if key in truth.box_attributes
        }
        yield FilesToWrite(
            folder=str(folder),
            names=names[part],
            sizes=sizes[part].tolist(),
            counts=np.diff(truth.starts[part.start : part.stop + 1]).tolist(),
            classes=classes,
            labels=truth.labels[boxes].tobytes(),
            corners=corners[boxes].tobytes(),
            flags=flags,
        )


def write_share(share: FilesToWrite) -> int:
    """Writes the files of a share; returns how many. Raises: OSError."""
    write_into(Path(share.folder), _documents(share))
    return len(share.names)


def _documents(share: FilesToWrite) -> Iterator[tuple[str, str]]:
    objects = _objects(share)
    for name, (width, height), count in zip(share.names, share.sizes, share.counts, strict=True):
        size = f"<width>{width}</width><height>{height}</height><depth>3</depth>"
        folder, _, bare = name.rpartition("/")
        head = f"  <folder>{escape(folder)}</folder>\n" if folder else ""
        text = (
            f"<annotation>\n{head}  <filename>{escape(bare)}</filename>\n"
            f"  <origin>{ORIGIN}</origin>\n  <size>{size}</size>\n"
            f"{''.join(islice(objects, count))}</annotation>\n"
        )
        yield f"{stem(name)}.xml", text


def _objects(share: FilesToWrite) -> Iterator[str]:
    """The text of each object."""
    labels = np.frombuffer(share.labels, np.int32)
    corners = np.frombuffer(share.corners, np.float64).reshape(-1, 4)
    flags = [(key, np.frombuffer(values, np.uint8)) for key, values in share.flags.items()]
    for first in range(0, len(labels), OBJECTS_PER_BLOCK):
        block = slice(first, first + OBJECTS_PER_BLOCK)
        numbers = corners[block].ravel().tolist()
        edges = iter(
            [str(int(number)) if number.is_integer() else repr(number) for number in numbers]
        )
        flag_texts = [
            [f"<{key}>{value}</{key}>" for value in values[block]] for key, values in flags
        ]
        flags_of_each = map("".join, zip(*flag_texts, strict=True)) if flag_texts else repeat("")
        for label, text in zip(labels[block].tolist(), flags_of_each, strict=False):
            yield (
                f"  <object><name>{share.classes[label]}</name>{text}<bndbox>"
                f"<xmin>{next(edges)}</xmin><ymin>{next(edges)}</ymin>"
                f"<xmax>{next(edges)}</xmax><ymax>{next(edges)}</ymax></bndbox></object>\n"
            )
