"""Whatever a data set has that a format can't keep, in sentences.

A format says what it holds besides images, classes and boxes: `crowd`, `area` (of masks),
`masks`, `box ids`, `image ids`, `class ids`, `class order`, `unused classes`, `splits`,
`difficult`, `truncated`, `occluded`, `attributes` (any other of boxes) and `image attributes`.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from zoo.data.dataset import Dataset
from zoo.data.image_files import stem
from zoo.data.image_records import files_of
from zoo.text import pluralize

SIZES = ("width", "height")  # which every record has
FLAGS = ("difficult", "truncated", "occluded")


def losses(dataset: Dataset, holds: Collection[str]) -> tuple[str, ...]:
    """A sentence for each thing that gets lost in a format. holds: what that keeps."""
    said = {
        "crowd": _crowd(dataset),
        "area": _areas(dataset),
        "masks": "" if "masks" in holds else _masks(dataset),  # not read where they are kept
        "box ids": _box_ids(dataset),
        "image ids": _image_ids(dataset),
        "class ids": _class_ids(dataset),
        "class order": _class_order(dataset, by_id="class ids" in holds),
        "unused classes": _unused(dataset),
        "splits": _splits(dataset),
        "attributes": _others(dataset),
        "image attributes": _image_attributes(dataset),
    } | {name: _flag(dataset, name) for name in FLAGS}
    return tuple(text for name, text in said.items() if text and name not in holds)


def _crowd(dataset: Dataset) -> str:
    count = int(dataset.truth.crowd.sum())
    return f"{pluralize(count, 'crowd box becomes', 'crowd boxes become')} ordinary." * bool(count)


def _areas(dataset: Dataset) -> str:
    truth = dataset.truth
    own = truth.xywh[:, 2] * truth.xywh[:, 3]
    count = int((~np.isclose(truth.areas, own, rtol=1e-6)).sum())
    many = pluralize(count, "area of a mask becomes", "areas of masks become")
    return f"{many} the box's own." * bool(count)


def _masks(dataset: Dataset) -> str:
    masks = dataset.masks
    count = 0 if masks is None else int(masks.known(dataset.truth.ids).sum())
    return f"{pluralize(count, 'mask is', 'masks are')} left out." * bool(count)


def _box_ids(dataset: Dataset) -> str:
    ids = np.sort(dataset.truth.ids)  # a reader that finds none counts them
    kept = (ids == np.arange(1, len(ids) + 1)).all()
    return "" if kept else "The ids of boxes become 1, 2, 3 …"


def _image_ids(dataset: Dataset) -> str:
    ids = map(str, dataset.truth.image_ids.tolist())
    names = [stem(name.replace("\\", "/")) for name in files_of(dataset.images)]
    kept = all(image_id == name for image_id, name in zip(ids, names, strict=True))
    return "" if kept else "The ids of images become the names of their files."


def _class_ids(dataset: Dataset) -> str:
    space = dataset.label_space
    kept = space.ids == tuple(range(len(space)))
    return "" if kept else "The ids of classes become 0, 1, 2 …"


def _class_order(dataset: Dataset, *, by_id: bool) -> str:
    space = dataset.label_space
    key = space.ids if by_id else space.names
    kept = list(key) == sorted(key)
    return (
        "" if kept else f"The order of classes becomes that of their {'ids' if by_id else 'names'}."
    )


def _unused(dataset: Dataset) -> str:
    used = np.bincount(dataset.truth.labels, minlength=len(dataset.label_space)) > 0
    names = [
        name for name, present in zip(dataset.label_space.names, used, strict=True) if not present
    ]
    many = pluralize(len(names), "class has no box, and is", "classes have no box, and are")
    return f"{many} left out: {', '.join(names[:5])}." * bool(names)


def _splits(dataset: Dataset) -> str:
    names = list(dataset.split_rows)
    many = pluralize(len(names), "split is", "splits are")
    return f"{many} left out: {', '.join(names)}." * bool(names)


def _flag(dataset: Dataset, name: str) -> str:
    values = dataset.truth.box_attributes.get(name)
    count = 0 if values is None else int(np.count_nonzero(values))
    return (
        f"{pluralize(count, 'box', 'boxes')} {'is' if count == 1 else 'are'} no longer {name}."
        * bool(count)
    )


def _others(dataset: Dataset) -> str:
    names = [name for name in dataset.truth.box_attributes if name not in FLAGS]
    many = pluralize(len(names), "attribute of boxes is", "attributes of boxes are")
    return f"{many} left out: {', '.join(names)}." * bool(names)


def _image_attributes(dataset: Dataset) -> str:
    names = [name for name in dataset.truth.image_attributes if name not in SIZES]
    many = pluralize(len(names), "attribute of images is", "attributes of images are")
    return f"{many} left out: {', '.join(names)}." * bool(names)
