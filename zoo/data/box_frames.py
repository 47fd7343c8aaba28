"""Which size the boxes of an image are of, where its file has another one than its annotations say:
one of the two may be wrong, and the boxes tell which."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from zoo.data.box_checks import TOLERANCE, fractional_images
from zoo.data.dataset import Dataset
from zoo.data.image_checks import frame_of
from zoo.data.image_scan import ImageFacts

BoxFrame = Literal["file", "declared", "either", "reshaped", "neither"]
SLACK = 0.02  # of a side that sizes may differ by as one, and that boxes may leave an image by

_Pair = NDArray[np.float64]  # width and height, or the farthest right and bottom edge


def box_frames(dataset: Dataset, facts: Sequence[ImageFacts]) -> dict[int, BoxFrame]:
    """Row -> the size that its boxes are of, for images whose file has another one than declared.

    file:     the file's, as where boxes are fractions, or there is none, or the sizes are nearly
              one.
    declared: the declared one, of the same shape: the image was resized, and its boxes were not.
    either:   no box tells, neither here nor in other images of the same two sizes.
    reshaped: the declared one, of another shape: the image was cropped, stretched or turned.
    neither:  boxes leave the image in both.
    """
    fractional = fractional_images(dataset)
    frames: dict[int, BoxFrame] = {}
    alike: dict[tuple[float, ...], list[int]] = defaultdict(list)
    for row, fact in enumerate(facts):
        annotated = dataset.sizes[row].tolist()
        if fact.flaw or np.isnan(annotated).any() or tuple(annotated) == fact.upright:
            continue
        if frame_of(fact, annotated) == "stored":
            continue
        edges = dataset.truth.boxes[dataset.truth.rows(row), 2:]
        is_sure = fractional[row] or not len(edges)
        declared, actual = np.array(annotated, float), np.array(fact.upright, float)
        frames[row] = "file" if is_sure else _frame(edges, declared, actual)
        if not is_sure:
            alike[*annotated, *fact.upright].append(row)
    for rows in alike.values():
        certain = {frames[row] for row in rows} - {"either", "neither"}
        if len(certain) == 1:
            [frame] = certain
            frames |= dict.fromkeys((row for row in rows if frames[row] == "either"), frame)
    return frames


def _frame(edges: _Pair, declared: _Pair, actual: _Pair) -> BoxFrame:
    """edges: (n, 2) the right and bottom edges of the boxes, of which there are some."""
    if (np.abs(declared - actual) <= SLACK * np.maximum(declared, actual)).all():
        return "file"
    farthest: _Pair = edges.max(axis=0)
    of_declared, of_actual = _holds(declared, farthest), _holds(actual, farthest)
    if of_declared and of_actual:
        of_declared = _ends_at(declared, actual, farthest)
        of_actual = _ends_at(actual, declared, farthest)
        if of_declared == of_actual:
            return "either"
    if of_actual:
        return "file"
    if not of_declared:
        return "neither"
    return "declared" if _same_shape(declared, actual) else "reshaped"


def _holds(size: _Pair, farthest: _Pair) -> bool:
    return bool((farthest <= size * (1 + SLACK) + TOLERANCE).all())


def _ends_at(size: _Pair, other: _Pair, farthest: _Pair) -> bool:
    """Whether boxes end at an edge of the image that it would not have in the other size, as those
    of things do that are cut off there."""
    return bool(((np.abs(farthest - size) <= TOLERANCE) & (size != other)).any())


def _same_shape(first: _Pair, second: _Pair) -> bool:
    """Whether one is the other resized, and its sides rounded."""
    small, large = sorted((first.tolist(), second.tolist()))
    scales = small[0] / large[0], small[1] / large[1]
    away = abs(small[0] - large[0] * scales[1]), abs(small[1] - large[1] * scales[0])
    return bool(min(away) <= 1)
