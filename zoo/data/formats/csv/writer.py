"""Writes a data set as one CSV file, with all that is known of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.dataset import Dataset
from zoo.data.formats.csv.columns import OF_IMAGE, OWN_ID
from zoo.data.target_names import target_names
from zoo.errors import DataError
from zoo.files import write_errors, write_file

IMAGE = ("image", OWN_ID, "width", "height", "split")
BOX = ("class", "class_id", "xmin", "ymin", "xmax", "ymax", "area", "crowd", "id")
FILE = "annotations.csv"


def write(dataset: Dataset, path: Path) -> None:
    """Writes a row per box, and one without box for each image that has none.

    path: a `.csv` file, or a folder, in which it is called annotations.csv.
    Raises: DataError for a data set without boxes, whose classes no row would name, or where the
        disk says no.
    """
    if not len(dataset.truth.labels):
        case = "It has no box, and CSV names classes only with boxes."
        raise DataError(f"{dataset.name} can't be written as CSV.", case, "Write coco:PATH")
    content = io.BytesIO()
    text = io.TextIOWrapper(content, "utf-8", newline="")
    writer = csv.writer(text, lineterminator="\n")
    of_images = [f"{OF_IMAGE}{name}" for name in _image_attributes(dataset)]
    writer.writerow([*IMAGE, *of_images, *BOX, *dataset.truth.box_attributes])
    writer.writerows(_rows(dataset))
    file = path if path.suffix.lower() == ".csv" else path / FILE
    with write_errors(file, DataError, fix="Name a place that can be written."):
        text.flush()
        write_file(file, content.getvalue())


def _rows(dataset: Dataset) -> Iterator[list[Any]]:
    truth = dataset.truth
    counts = np.diff(truth.starts).tolist()
    boxes = _boxes(dataset)
    nothing = [""] * (len(BOX) + len(truth.box_attributes))
    for count, image in zip(counts, _images(dataset), strict=True):
        for box in islice(boxes, count) if count else [nothing]:
            yield [*image, *box]


def _image_attributes(dataset: Dataset) -> dict[str, NDArray[Any]]:
    """Those that are not among the columns of every image."""
    attributes = dataset.truth.image_attributes
    return {name: values for name, values in attributes.items() if name not in IMAGE}


def _images(dataset: Dataset) -> Iterator[list[Any]]:
    truth = dataset.truth
    splits: list[list[str]] = [[] for _ in range(len(dataset))]
    for split, rows in dataset.split_rows.items():
        for row in rows.tolist():
            splits[row].append(split)
    sizes = np.nan_to_num(dataset.sizes).astype(np.int64).tolist()
    names = target_names(dataset)
    others = [values.tolist() for values in _image_attributes(dataset).values()]
    for row, number in enumerate(truth.image_ids.tolist()):
        width, height = sizes[row]
        size = [width or "", height or ""]
        yield [
            names[row],
            number,
            *size,
            "|".join(splits[row]),
            *(column[row] for column in others),
        ]


def _boxes(dataset: Dataset) -> Iterator[Sequence[Any]]:
    truth, space = dataset.truth, dataset.label_space
    columns: list[list[Any]] = [
        [space.names[label] for label in truth.labels.tolist()],
        [space.ids[label] for label in truth.labels.tolist()],
        *(_numbers(truth.boxes[:, axis]) for axis in range(4)),
        _numbers(truth.areas),
        truth.crowd.astype(np.int64).tolist(),
        truth.ids.tolist(),
        *(values.tolist() for values in truth.box_attributes.values()),
    ]
    return iter(zip(*columns, strict=True))


def _numbers(values: NDArray[np.float64]) -> list[float | int]:
    return [int(value) if value.is_integer() else value for value in values.tolist()]
