"""Writes a data set as a folder of VOC files, with `ImageSets` for its splits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np

from zoo.data.dataset import Dataset
from zoo.data.formats.voc.document import CORNERS, FLAGS
from zoo.data.formats.voc.reader import ANNOTATIONS, IMAGE_SETS, LABELS
from zoo.data.image_files import stem
from zoo.data.split_lists import list_text
from zoo.data.target_names import target_names
from zoo.errors import DataError
from zoo.files import atomic_folder, write_errors, write_file, write_into

ORIGIN = 1  # the first pixel's number, as in VOC's own files
# Code points that XML has no place for.
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


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
            write_into(draft, _documents(dataset, names))
        if dataset.split_rows:
            with atomic_folder(path / IMAGE_SETS) as draft:
                write_into(draft, _sets(dataset, names))
        write_file(path / LABELS, list_text(dataset.label_space.names))


def _sets(dataset: Dataset, names: list[str]) -> Iterator[tuple[str, str]]:
    for split, rows in dataset.split_rows.items():
        yield f"Main/{split}.txt", list_text(stem(names[row]) for row in rows.tolist())


def _documents(dataset: Dataset, names: list[str]) -> Iterator[tuple[str, str]]:
    truth = dataset.truth
    objects = list(_objects(dataset))
    sizes = np.nan_to_num(dataset.sizes).astype(np.int64).tolist()
    starts = truth.starts.tolist()
    for row, name in enumerate(names):
        width, height = sizes[row]
        size = f"<width>{width}</width><height>{height}</height><depth>3</depth>"
        folder, _, bare = name.rpartition("/")
        head = f"  <folder>{escape(folder)}</folder>\n" if folder else ""
        text = (
            f"<annotation>\n{head}  <filename>{escape(bare)}</filename>\n"
            f"  <origin>{ORIGIN}</origin>\n  <size>{size}</size>\n"
            f"{''.join(objects[starts[row] : starts[row + 1]])}</annotation>\n"
        )
        yield f"{stem(name)}.xml", text


def _objects(dataset: Dataset) -> Iterator[str]:
    truth = dataset.truth
    names = [f"<name>{escape(name)}</name>" for name in truth.label_space.names]
    corners = truth.boxes + np.array([ORIGIN, ORIGIN, 0, 0])
    known = [key for key in FLAGS if key in truth.box_attributes]
    flags = [np.asarray(truth.box_attributes[key], bool).tolist() for key in known]
    for row, (label, box) in enumerate(zip(truth.labels.tolist(), corners.tolist(), strict=True)):
        said = "".join(f"<{key}>{flags[at][row]:d}</{key}>" for at, key in enumerate(known))
        edges = "".join(
            f"<{key}>{_number(value)}</{key}>" for key, value in zip(CORNERS, box, strict=True)
        )
        yield f"  <object>{names[label]}{said}<bndbox>{edges}</bndbox></object>\n"


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)
