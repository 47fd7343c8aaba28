"""Boxes and areas of COCO's masks, for annotations that have no box: polygons, and run lengths
plain or packed into text."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from zoo.data.values import UNKNOWN

_SIDE = Annotated[int, msgspec.Meta(ge=1, le=2**20)]
_MAX_RUNS = 1 << 24  # runs of one mask


class Runs(msgspec.Struct):
    """Run lengths: size is height and width; counts plain, or packed into text."""

    size: tuple[_SIDE, _SIDE]
    counts: list[Annotated[int, msgspec.Meta(ge=0, le=2**40)]] | str


Polygons: TypeAlias = list[list[float]]
Box: TypeAlias = tuple[float, float, float, float]


def box_and_area(segmentation: bytes) -> tuple[Box, float] | None:
    """x, y, width, height around a mask, and the pixels in it; None for anything but a
    mask, and for an empty one. The area of polygons is UNKNOWN, and counts as the box's own.

    segmentation: the field's JSON.
    """
    shape = parsed(segmentation)
    if shape is None:
        return None
    return _of_runs(shape) if isinstance(shape, Runs) else _of_polygons(shape)


def parsed(segmentation: bytes) -> Runs | Polygons | None:
    """The field's JSON as what it is; None for anything but a mask."""
    try:
        return msgspec.json.decode(segmentation, type=Runs | Polygons)
    except (msgspec.DecodeError, RecursionError):
        return None


def _of_polygons(polygons: Polygons) -> tuple[Box, float] | None:
    numbers = [number for polygon in polygons for number in polygon]
    odd = any(len(polygon) % 2 or len(polygon) < 4 for polygon in polygons)
    if not numbers or odd:
        return None
    points = np.array(numbers).reshape(-1, 2)
    left, top = points.min(axis=0).tolist()
    right, bottom = points.max(axis=0).tolist()
    return (left, top, right - left, bottom - top), UNKNOWN


def _of_runs(runs: Runs) -> tuple[Box, float] | None:
    """Runs go down the columns, the first of pixels that are not in the mask."""
    height, width = runs.size
    counts = unpack(runs.counts) if isinstance(runs.counts, str) else np.array(runs.counts)
    if counts is None or counts.sum() != height * width:
        return None
    ends = np.cumsum(counts)
    first, last = ends[0::2][: len(ends[1::2])], ends[1::2] - 1
    filled = last >= first
    first, last = first[filled], last[filled]
    if not len(first):
        return None
    columns = first // height, last // height
    several = columns[0] != columns[1]  # such a run touches the lower and the upper edge
    top = np.where(several, 0, first % height).min()
    bottom = np.where(several, height - 1, last % height).max()
    left, right = columns[0].min(), columns[1].max()
    box = float(left), float(top), float(right - left + 1), float(bottom - top + 1)
    return box, float((last - first + 1).sum())


def unpack(text: str) -> NDArray[np.int64] | None:
    """Run lengths that COCO's tools packed into text: five bits a letter, from the third on the
    difference to the one before the last. None for another text."""
    counts: list[int] = []
    at = 0
    while at < len(text) and len(counts) < _MAX_RUNS:
        value, shift, more = 0, 0, True
        while more:
            bits = ord(text[at]) - 48 if at < len(text) else -1
            if not 0 <= bits < 64 or shift > 60:
                return None
            value |= (bits & 31) << shift
            more = bool(bits & 32)
            at, shift = at + 1, shift + 5
            if not more and bits & 16:
                value -= 1 << shift
        counts.append(value + (counts[-2] if len(counts) > 2 else 0))
        if counts[-1] < 0:
            return None
    return np.array(counts, np.int64)
