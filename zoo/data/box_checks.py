"""Finds boxes that can't be right: outside their image, without area, in fractions, duplicated."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from zoo.data.dataset import Dataset
from zoo.data.finding import Finding, spelled_size
from zoo.data.image_records import files_of

TOLERANCE = 0.5  # pixels that a box may leave its image, as rounding makes it
THIN = 1.0  # pixels of a side in which nothing can be seen
_LARGE = 8  # pixels of an image whose boxes may all be within the first one only by mistake


def box_findings(dataset: Dataset) -> list[Finding]:
    """The findings of all boxes, check by check."""
    names, splits = files_of(dataset.images), split_names(dataset)
    fractional = fractional_images(dataset)
    message = "All its boxes end within the first pixel."
    findings = [
        Finding("fractions", message, names[row], splits[row])
        for row in np.flatnonzero(fractional).tolist()
    ]
    for check, (rows, message_of) in _masks(dataset, fractional[dataset.truth.images]).items():
        findings += _of_boxes(dataset, rows, check, message_of, names, splits)
    return findings


def _masks(
    dataset: Dataset, fractional: NDArray[np.bool_]
) -> dict[str, tuple[NDArray[np.bool_], Callable[[int], str]]]:
    """Check -> (n,) which boxes it finds, and the message about one of them. fractional: (n,) boxes
    in fractions, which are neither outside nor thin."""
    truth = dataset.truth
    sizes = dataset.sizes[truth.images]
    outside = outside_boxes(dataset) & ~fractional
    thin: NDArray[np.bool_] = np.asarray((truth.xywh[:, 2:] <= THIN).any(axis=1))
    thin &= ~fractional
    twice, classes = repeated_boxes(dataset)
    return {
        "outside": (
            outside,
            lambda row: f"It leaves its image of {spelled_size(sizes[row].tolist())} pixels.",
        ),
        "zero_area": (
            thin,
            lambda row: f"It has {spelled_size(truth.xywh[row, 2:].tolist())} pixels.",
        ),
        "duplicate": (twice, lambda _: "The same box of the same class is there before it."),
        "two_classes": (classes, lambda _: "The same box is there with another class."),
    }


def fractional_images(dataset: Dataset) -> NDArray[np.bool_]:
    """(m,) whether all boxes of an image end within the first pixel, as fractions do."""
    truth = dataset.truth
    most = np.full(len(dataset), -np.inf)
    np.maximum.at(most, truth.images, truth.boxes.max(axis=1, initial=-np.inf))
    large = ~(dataset.sizes < _LARGE).any(axis=1)
    return (most <= 1) & (most > 0) & large


def outside_boxes(dataset: Dataset) -> NDArray[np.bool_]:
    """(n,) whether a box leaves its image; if the size is unknown, only to the left or above."""
    truth = dataset.truth
    sizes = np.nan_to_num(dataset.sizes, nan=np.inf)[truth.images]
    low = np.less(truth.boxes[:, :2], -TOLERANCE)
    high = np.greater(truth.boxes[:, 2:], sizes + TOLERANCE)
    outside: NDArray[np.bool_] = np.asarray((low | high).any(axis=1))
    return outside


def repeated_boxes(dataset: Dataset) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(n,) boxes that repeat an earlier one of the same class; and those of another class."""
    truth = dataset.truth
    count = len(truth.labels)
    keys = np.concatenate([truth.images[:, None], truth.boxes.round(3)], axis=1)
    order = np.lexsort((np.arange(count), truth.labels, *keys.T[::-1]))
    ordered, labels = keys[order], truth.labels[order]
    same = np.zeros(count, bool)
    same[1:] = (ordered[1:] == ordered[:-1]).all(axis=1)
    alike = np.zeros(count, bool)
    alike[1:] = labels[1:] == labels[:-1]
    twice, classes = np.zeros(count, bool), np.zeros(count, bool)
    twice[order] = same & alike
    classes[order] = same & ~alike
    return twice, classes


def _of_boxes(
    dataset: Dataset,
    rows: NDArray[np.bool_],
    check: str,
    message: Callable[[int], str],
    names: Sequence[str],
    splits: Sequence[str | None],
) -> list[Finding]:
    """A finding of each of these boxes."""
    truth = dataset.truth
    findings = []
    for row in np.flatnonzero(rows).tolist():
        image = int(truth.images[row])
        box = tuple(float(f"{value:.8g}") for value in truth.boxes[row].tolist())
        label = dataset.label_space.names[truth.labels[row]]
        findings.append(Finding(check, message(row), names[image], splits[image], box, label))
    return findings


def split_names(dataset: Dataset) -> list[str | None]:
    """The split of each image, or None."""
    names: list[str | None] = [None] * len(dataset)
    for name, rows in dataset.split_rows.items():
        for row in rows.tolist():
            names[row] = name
    return names
