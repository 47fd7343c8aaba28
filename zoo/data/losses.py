"""Sentences about what a data set loses when it is written in another format.

A format says what it holds besides images, classes and boxes: `crowd`, `area` (of masks),
`masks`, `box ids`, `image ids`, `class ids`, `class order`, `unused classes`, `splits`,
`difficult`, `truncated`, `occluded`, `attributes` (any other of boxes), `image attributes` and
`extras` (what COCO's files say besides; no format holds `box extras`, as `keypoints`).
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from zoo.data.dataset import Dataset
from zoo.data.image_files import stem
from zoo.data.image_records import files_of
from zoo.text import pluralize

SIZES = ("width", "height")  # attributes that formats keep with the images themselves
MAX_NAMES_SHOWN = 5
FLAGS = ("difficult", "truncated", "occluded")


def losses(dataset: Dataset, holds: Collection[str]) -> tuple[str, ...]:
    """A sentence for each thing that a format loses. holds: what it keeps."""
    sentences = {
        "crowd": _crowd(dataset),
        "area": _areas(dataset),
        "masks": "" if "masks" in holds else _masks(dataset),  # else they aren't even read
        "box ids": _box_ids(dataset),
        "image ids": _image_ids(dataset),
        "class ids": _class_ids(dataset),
        "class order": _class_order(dataset, by_id="class ids" in holds),
        "unused classes": _unused_classes(dataset),
        "splits": _splits(dataset),
        "attributes": _box_attributes(dataset),
        "image attributes": _image_attributes(dataset),
        "extras": "" if "extras" in holds else _extras(dataset),  # nor these
        "box extras": _box_extras(dataset),
    } | {name: _flag(dataset, name) for name in FLAGS}
    return tuple(text for name, text in sentences.items() if text and name not in holds)


def _if_any(count: int, sentence: str) -> str:
    """The sentence if there are any, else ""."""
    return sentence if count else ""


def _crowd(dataset: Dataset) -> str:
    count = int(dataset.truth.crowd.sum())
    many = pluralize(count, "crowd box becomes", "crowd boxes become")
    return _if_any(count, f"{many} ordinary.")


def _areas(dataset: Dataset) -> str:
    truth = dataset.truth
    box_areas = truth.xywh[:, 2] * truth.xywh[:, 3]
    count = int((~np.isclose(truth.areas, box_areas, rtol=1e-6)).sum())
    many = pluralize(count, "area of a mask becomes", "areas of masks become")
    return _if_any(count, f"{many} the box's own.")


def _masks(dataset: Dataset) -> str:
    masks = dataset.masks
    count = 0 if masks is None else int(masks.exist(dataset.truth.ids).sum())
    return _if_any(count, f"{pluralize(count, 'mask is', 'masks are')} left out.")


def _box_ids(dataset: Dataset) -> str:
    ids = np.sort(dataset.truth.ids)  # a reader that finds none counts them
    is_counted = (ids == np.arange(1, len(ids) + 1)).all()
    return "" if is_counted else "The ids of boxes become 1, 2, 3 …"


def _image_ids(dataset: Dataset) -> str:
    ids = map(str, dataset.truth.image_ids.tolist())
    names = [stem(name.replace("\\", "/")) for name in files_of(dataset.images)]
    are_names = all(image_id == name for image_id, name in zip(ids, names, strict=True))
    return "" if are_names else "The ids of images become the names of their files."


def _class_ids(dataset: Dataset) -> str:
    space = dataset.label_space
    is_counted = space.ids == tuple(range(len(space)))
    return "" if is_counted else "The ids of classes become 0, 1, 2 …"


def _class_order(dataset: Dataset, *, by_id: bool) -> str:
    space = dataset.label_space
    keys, key_name = (space.ids, "ids") if by_id else (space.names, "names")
    is_sorted = list(keys) == sorted(keys)
    return "" if is_sorted else f"The order of classes becomes that of their {key_name}."


def _unused_classes(dataset: Dataset) -> str:
    counts = np.bincount(dataset.truth.labels, minlength=len(dataset.label_space)).tolist()
    names = [
        name for name, count in zip(dataset.label_space.names, counts, strict=True) if not count
    ]
    many = pluralize(len(names), "class has no box, and is", "classes have no box, and are")
    return _if_any(len(names), f"{many} left out: {', '.join(names[:MAX_NAMES_SHOWN])}.")


def _splits(dataset: Dataset) -> str:
    names = list(dataset.split_rows)
    many = pluralize(len(names), "split is", "splits are")
    return _if_any(len(names), f"{many} left out: {', '.join(names)}.")


def _flag(dataset: Dataset, name: str) -> str:
    values = dataset.truth.box_attributes.get(name)
    count = 0 if values is None else int(np.count_nonzero(values))
    many = pluralize(count, "box is", "boxes are")
    return _if_any(count, f"{many} no longer {name}.")


def _box_attributes(dataset: Dataset) -> str:
    names = [name for name in dataset.truth.box_attributes if name not in FLAGS]
    many = pluralize(len(names), "attribute of boxes is", "attributes of boxes are")
    return _if_any(len(names), f"{many} left out: {', '.join(names)}.")


def _image_attributes(dataset: Dataset) -> str:
    names = [name for name in dataset.truth.image_attributes if name not in SIZES]
    many = pluralize(len(names), "attribute of images is", "attributes of images are")
    return _if_any(len(names), f"{many} left out: {', '.join(names)}.")


def _box_extras(dataset: Dataset) -> str:
    """Fields of a COCO file's annotations besides those that are read."""
    names = [] if dataset.extras is None else dataset.extras.names_of_boxes()
    many = pluralize(len(names), "further field of boxes is", "further fields of boxes are")
    return _if_any(len(names), f"{many} left out: {', '.join(names)}.")


def _extras(dataset: Dataset) -> str:
    """Fields of a COCO file besides those that are read."""
    extras = dataset.extras
    if extras is None:
        return ""
    ids = dataset.truth.image_ids.tolist()
    names = dict.fromkeys(extras.of_file(ids))
    of_images = (name for fields in extras.of_images(ids) for name in fields)
    of_classes = (name for fields in extras.of_classes(dataset.label_space.ids) for name in fields)
    names |= dict.fromkeys(f"{name} of images" for name in of_images)
    names |= dict.fromkeys(f"{name} of classes" for name in of_classes)
    many = pluralize(len(names), "further field is", "further fields are")
    return _if_any(len(names), f"{many} left out: {', '.join(names)}.")
