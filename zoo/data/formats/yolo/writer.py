"""Writes a data set as YOLO: `labels`, lists of splits, and `data.yaml`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoo.data.dataset import Dataset
from zoo.data.formats.yolo.description import FILE
from zoo.data.formats.yolo.layout import IMAGES, LABELS
from zoo.data.image_files import stem, upright_sizes
from zoo.data.split_lists import NAMES, list_text
from zoo.data.target_names import target_names
from zoo.errors import DataError
from zoo.files import atomic_folder, write_errors, write_file, write_into


def write(dataset: Dataset, path: Path) -> None:
    """Writes a text file for each image, also for those without boxes, the list of each split, and
    `data.yaml`, which readers need last. Images belong into `images`, under their names.

    Raises: DataError for images whose size nobody knows, names that can't be files, splits that
        YOLO does not have, or where the disk says no.
    """
    names = target_names(dataset, by_stem=True)
    _check_splits(dataset)
    lines = _lines(dataset)
    starts = dataset.truth.starts.tolist()
    files = (
        (f"{stem(name)}.txt", "".join(lines[starts[row] : starts[row + 1]]))
        for row, name in enumerate(names)
    )
    with write_errors(path, DataError, fix="Name a new or an empty folder."):
        with atomic_folder(path / LABELS) as draft:
            write_into(draft, files)
        for split, rows in dataset.split_rows.items():
            listed = (f"./{IMAGES}/{names[row]}" for row in rows.tolist())
            write_file(path / f"{split}.txt", list_text(listed))
        write_file(path / FILE, _description(dataset))


def _check_splits(dataset: Dataset) -> None:
    unknown = [split for split in dataset.split_rows if split.lower() not in NAMES]
    if unknown:
        case = f"It has the split '{unknown[0]}'; YOLO's are called {', '.join(NAMES)}."
        fix = "Write one split: its `splits[NAME]`, or split=NAME after a comma."
        raise DataError(f"{dataset.name} can't be written as YOLO.", case, fix)


def _description(dataset: Dataset) -> str:
    splits = [f"{split}: {json.dumps(f'{split}.txt')}\n" for split in dataset.split_rows]
    names = [
        f"  {number}: {json.dumps(name, ensure_ascii=False)}\n"
        for number, name in enumerate(dataset.label_space.names)
    ]
    return f"path: .\n{''.join(splits)}names:\n{''.join(names)}"


def _lines(dataset: Dataset) -> list[str]:
    """The line of each box, in fractions of its image."""
    truth = dataset.truth
    scale = _sizes(dataset)[truth.images]
    centre = (truth.xywh[:, :2] + truth.xywh[:, 2:] / 2) / scale
    fractions = np.concatenate([centre, truth.xywh[:, 2:] / scale], axis=1)
    return [
        f"{label} {x:.12g} {y:.12g} {width:.12g} {height:.12g}\n"
        for label, (x, y, width, height) in zip(
            truth.labels.tolist(), fractions.tolist(), strict=True
        )
    ]


def _sizes(dataset: Dataset) -> NDArray[np.float64]:
    """(m, 2) the size of each image; where the annotations do not say, that of the file."""
    sizes = dataset.sizes.copy()
    needed = np.unique(dataset.truth.images)
    unknown = needed[np.isnan(sizes[needed]).any(axis=1)]
    if not len(unknown):
        return sizes
    records = [dataset.images[row] for row in unknown.tolist()]
    measured = upright_sizes([record.path for record in records])
    if (measured == 0).any():
        record = records[int(np.flatnonzero((measured == 0).any(axis=1))[0])]
        case = f"The size of image {record.id!r} is not annotated, and there is no {record.path}."
        fix = "Say which folder holds the images: images=FOLDER"
        raise DataError(f"{dataset.name} can't be written as YOLO.", case, fix)
    sizes[unknown] = measured
    return sizes
