"""Whether two data sets have the same boxes: images meet by file name, classes by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.dataset import Dataset
from zoo.data.target_names import slashed_names

PIXELS = 1e-3  # two coordinates that are so close are one


def difference(before: Dataset, after: Dataset, *, pixels: float = PIXELS) -> str:
    """The first difference in images, classes of boxes, or boxes, as a sentence; else nothing.

    pixels: the most that a coordinate may have moved.
    """
    names = _names(before), _names(after)
    if names[0] != names[1]:
        gone, new = set(names[0]) - set(names[1]), set(names[1]) - set(names[0])
        if gone or new:
            which = f"'{min(gone or new)}' is {'gone' if gone else 'new'}"
            return f"{len(names[0]):,} images became {len(names[1]):,}: {which}."
        return "Two images have one name."
    classes = sorted({*before.label_space.names, *after.label_space.names})
    first, second = _boxes(before, classes), _boxes(after, classes)
    counts = len(first[0]), len(second[0])
    if counts[0] != counts[1]:
        return f"{counts[0]:,} boxes became {counts[1]:,}."
    moved = np.abs(first[1] - second[1]).max(axis=1, initial=0)
    scale = np.maximum(1, np.abs(first[1]).max(axis=1, initial=0))
    wrong = (first[0] != second[0]).any(axis=1) | (moved > pixels * scale / 1e3 + pixels)
    if not wrong.any():
        return _masks(before, after)
    row = int(np.flatnonzero(wrong)[0])
    image, label = first[0][row].tolist()
    was, now = first[1][row].round(4).tolist(), second[1][row].round(4).tolist()
    other = classes[second[0][row].tolist()[1]]
    return f"In '{names[0][image]}' the {classes[label]} {was} became the {other} {now}."


def _masks(before: Dataset, after: Dataset) -> str:
    """The difference in how many boxes have masks, where both formats have them."""
    had, has = before.masks, after.masks
    if had is None or has is None:
        return ""
    counts = int(had.exist(before.truth.ids).sum()), int(has.exist(after.truth.ids).sum())
    return "" if counts[0] == counts[1] else f"{counts[0]:,} masks became {counts[1]:,}."


def _names(dataset: Dataset) -> list[str]:
    return sorted(slashed_names(dataset.images))


def _boxes(
    dataset: Dataset, classes: Sequence[str]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """(n, 2) image and class, as places in the sorted ones, and (n, 4) xyxy; ordered by these."""
    truth = dataset.truth
    names = slashed_names(dataset.images)
    images = _places(names)[truth.images]
    places = [classes.index(name) for name in dataset.label_space.names]
    labels = np.array(places, np.int64)[truth.labels]
    order = np.lexsort((labels, images))  # stable: boxes of one class stay as they were given
    keys = np.stack([images, labels], axis=1)
    return keys[order].reshape(-1, 2), truth.boxes[order]


def _places(names: Sequence[Any]) -> NDArray[np.int64]:
    order = np.array(sorted(range(len(names)), key=names.__getitem__), np.int64)
    places = np.empty(len(names), np.int64)
    places[order] = np.arange(len(names))
    return places
