"""Several data sets as one whose splits they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.dataset import Dataset
from zoo.data.extras import Extras, MergedExtras
from zoo.data.ground_truth import GroundTruth
from zoo.data.image_records import gather
from zoo.data.masks import Masks, MergedMasks
from zoo.data.offsets import starts_of
from zoo.errors import DataError


def merge(name: str, parts: Mapping[str, Dataset]) -> Dataset:
    """One data set of the images of several, which have the same classes. parts: by split.

    Ids stay as they are if no two splits share one; else an image is called `SPLIT/ID`, and
    annotations are numbered from 1. Attributes stay that all of them have.
    Raises: DataError for other classes in one of them.
    """
    datasets = list(parts.values())
    _check_classes(name, parts)
    image_ids, are_renamed = _image_ids(parts)
    images = {"id": image_ids} | _common([data.truth.image_attributes for data in datasets])
    boxes = {
        "image": np.concatenate(
            [
                ids[data.truth.images]
                for ids, data in zip(_by_split(image_ids, parts), datasets, strict=True)
            ]
        ),
        "label": np.concatenate([data.truth.labels for data in datasets]),
        "box": np.concatenate([data.truth.xywh for data in datasets]),
        "area": np.concatenate([data.truth.areas for data in datasets]),
        "crowd": np.concatenate([data.truth.crowd for data in datasets]),
        "id": _box_ids(datasets),
    }
    truth = GroundTruth.of(
        images,
        boxes | _common([data.truth.box_attributes for data in datasets]),
        label_space=datasets[0].label_space,
        box_format="xywh",
        name=name,
        no_area=sum(data.truth.no_area for data in datasets),
    )
    order = np.argsort(image_ids, kind="stable")
    rows = np.empty(len(image_ids), np.int64)
    rows[order] = np.arange(len(image_ids))
    records = gather([data.images for data in datasets], order, truth.image_ids)
    notes = list(dict.fromkeys(note for data in datasets for note in data.notes))
    if are_renamed:
        notes.append("Several splits share image ids: an image is called SPLIT/ID here.")
    splits = dict(zip(parts, _by_split(rows, parts), strict=True))
    masks, extras = _masks(datasets, boxes["id"]), _extras(datasets, _by_split(image_ids, parts))
    return Dataset(name, records, truth, tuple(notes), splits, masks, extras)


def _check_classes(name: str, parts: Mapping[str, Dataset]) -> None:
    first, *others = parts
    space = parts[first].label_space
    for split in others:
        other = parts[split].label_space
        if (other.names, other.ids) != (space.names, space.ids):
            first_pairs = dict(zip(space.ids, space.names, strict=True)).items()
            pairs = dict(zip(other.ids, other.names, strict=True)).items()
            number, label = min(first_pairs ^ pairs)
            raise DataError(
                f"The splits of {name} can't be one data set.",
                f"'{split}' has other classes than '{first}': category {number} '{label}' is in "
                "one of them only.",
                "Give all files the same categories, or read one split: split=NAME",
            )


def _image_ids(parts: Mapping[str, Dataset]) -> tuple[NDArray[Any], bool]:
    """The ids of all images, one split after another, and whether they had to be told apart."""
    ids = [data.truth.image_ids for data in parts.values()]
    if len({column.dtype.kind for column in ids}) == 1:
        together = np.concatenate(ids)
        if len(np.unique(together)) == len(together):
            return together, False
    names = [
        f"{split}/{image_id}" for split, data in parts.items() for image_id in data.truth.image_ids
    ]
    return np.array(names, np.str_), True


def _box_ids(datasets: Sequence[Dataset]) -> NDArray[np.int64]:
    ids = np.concatenate([data.truth.ids for data in datasets])
    return ids if len(np.unique(ids)) == len(ids) else np.arange(1, len(ids) + 1)


def _masks(datasets: Sequence[Dataset], new: NDArray[np.int64]) -> Masks | None:
    parts = [data.masks for data in datasets]
    old = np.concatenate([data.truth.ids for data in datasets])
    counts = [len(data.truth.ids) for data in datasets]
    return MergedMasks(parts, counts, old, new) if any(parts) else None


def _extras(datasets: Sequence[Dataset], new: Sequence[NDArray[Any]]) -> Extras | None:
    parts = [data.extras for data in datasets]
    old = [data.truth.image_ids.tolist() for data in datasets]
    return MergedExtras(parts, old, [ids.tolist() for ids in new]) if any(parts) else None


def _by_split(column: NDArray[Any], parts: Mapping[str, Dataset]) -> list[NDArray[Any]]:
    """A column of all images, split by split."""
    starts = starts_of(np.array([len(data) for data in parts.values()], np.int64))
    return np.split(column, starts[1:-1])


def _common(tables: Sequence[Mapping[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    names = [name for name in tables[0] if all(name in table for table in tables)]
    return {name: np.concatenate([table[name] for table in tables]) for name in names}
