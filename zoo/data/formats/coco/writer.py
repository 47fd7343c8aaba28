"""Writes a data set as COCO's `instances.json`, or as a folder with one per split."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from zoo.data.dataset import Dataset
from zoo.data.extras import Fields
from zoo.data.formats.coco.folder import INSTANCES, SUFFIXES
from zoo.data.target_names import names_below
from zoo.errors import DataError
from zoo.files import write_errors, write_file


def write(dataset: Dataset, path: Path) -> None:
    """Writes the annotations; reading them gives the same ground truth, to the bit.

    path: a file, packed if it ends in `.gz`; of a data set with splits a folder, where each becomes
        `instances_SPLIT.json`. Masks are as their file had them, and so are fields of the file, its
        images and classes, but not those of boxes. COCO has no place for attributes, and orders
        classes by their ids.
    Raises: DataError for a data set with splits that is written to one file, or that has images in
        no split, or where the disk says no.
    """
    is_file = path.name.lower().endswith(SUFFIXES)
    if not dataset.split_rows:
        _write_file(dataset, path if is_file else path / f"{INSTANCES[:-1]}.json")
        return
    failure = f"{dataset.name} can't be written to '{path}'."
    if is_file:
        case = f"It has the splits {', '.join(dataset.split_rows)}, and a file holds one."
        raise DataError(failure, case, f"Name a folder, as in coco:{path.parent / dataset.name}")
    lost = np.setdiff1d(np.arange(len(dataset)), np.concatenate([*dataset.split_rows.values()]))
    if len(lost):
        case = f"{len(lost):,} of its images are in no split, and would be lost."
        raise DataError(failure, case, "Put every image into a split.")
    for name, split in dataset.splits.items():
        _write_file(split, path / f"{INSTANCES}{name}.json")


def _write_file(dataset: Dataset, path: Path) -> None:
    text = msgspec.json.encode(_document(dataset))
    if path.name.lower().endswith(".gz"):
        text = gzip.compress(text, mtime=0)
    with write_errors(path, DataError, fix="Name a place that can be written."):
        write_file(path, text)


def _document(dataset: Dataset) -> dict[str, Any]:
    truth, space = dataset.truth, dataset.label_space
    segmentations = [] if dataset.masks is None else dataset.masks.segmentations(truth.ids)
    ids = np.array(space.ids, np.int64)
    columns = {
        "id": truth.ids.tolist(),
        "image_id": truth.image_ids[truth.images].tolist(),
        "category_id": ids[truth.labels].tolist(),
        "bbox": truth.xywh.tolist(),
        "area": truth.areas.tolist(),
        "iscrowd": truth.crowd.astype(np.int64).tolist(),
    }
    rows = zip(*columns.values(), strict=True)
    annotations: list[dict[str, Any]] = [dict(zip(columns, row, strict=True)) for row in rows]
    for annotation, text in zip(annotations, segmentations, strict=False):  # none, or one each
        if text:
            annotation["segmentation"] = msgspec.Raw(text)
    extras = dataset.extras
    categories: list[dict[str, Any]] = [
        {"id": number, "name": name} for number, name in zip(space.ids, space.names, strict=True)
    ]
    images, further = _images(dataset), {}
    if extras is not None:
        image_ids = truth.image_ids.tolist()
        further = dict(extras.of_file(image_ids))
        images = _joined(images, extras.of_images(image_ids))
        categories = _joined(categories, extras.of_classes(space.ids))
    return further | {"images": images, "annotations": annotations, "categories": categories}


def _joined(records: Sequence[dict[str, Any]], fields: Sequence[Fields]) -> list[dict[str, Any]]:
    """The records with further fields."""
    return [record | dict(more) for record, more in zip(records, fields, strict=True)]


def _images(dataset: Dataset) -> list[dict[str, Any]]:
    images: list[dict[str, Any]] = []
    names = names_below(dataset.images)
    sizes = np.nan_to_num(dataset.sizes).astype(np.int64).tolist()
    for number, name, (width, height) in zip(
        dataset.truth.image_ids.tolist(), names, sizes, strict=True
    ):
        image = {"id": number, "file_name": name}
        images.append(image | ({"width": width, "height": height} if width and height else {}))
    return images
