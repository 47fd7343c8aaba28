"""Masks of a COCO file: polygons and run lengths to pixels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from zoo.data.formats.coco.segmentation import Polygons, Runs, parsed, unpack
from zoo.data.json_file import NoRecord, content, decoded_with_null

_NOTHING = msgspec.Raw()
_EMPTY = (b"", b"null", b"[]", b"{}")
LONGEST_EMPTY = max(map(len, _EMPTY))


class _Annotation(msgspec.Struct):
    id: Any = None
    segmentation: msgspec.Raw = _NOTHING


class _File(msgspec.Struct):
    annotations: list[_Annotation | NoRecord] = []


@dataclass(frozen=True, eq=False)
class CocoMasks:
    """The masks of one file, as `zoo.data.masks.Masks`. The file is read again on first use.

    Annotations without an id have no mask here; of several with the same id, the first has.
    """

    path: Path

    @cached_property
    def _texts(self) -> dict[int, bytes]:
        texts: dict[int, bytes] = {}
        for number, text in self._read():
            texts.setdefault(number, bytes(text))
        return texts

    @cached_property
    def _ids(self) -> NDArray[np.int64]:
        """The ids alone, without keeping the texts, which can be most of a large file."""
        if "_texts" in vars(self):
            return np.array(list(self._texts), np.int64)
        return np.array([number for number, _ in self._read()], np.int64)

    def _read(self) -> Iterator[tuple[int, msgspec.Raw]]:
        """The annotation id and the JSON of each mask."""
        file = decoded_with_null(content(self.path), _File, str(self.path))
        for annotation in file.annotations:
            if not isinstance(annotation, _Annotation):
                continue  # a record that can't be, and that no data set has
            text = annotation.segmentation
            is_empty = len(memoryview(text)) <= LONGEST_EMPTY and bytes(text) in _EMPTY
            if isinstance(annotation.id, int) and not is_empty:
                yield annotation.id, text

    def __getstate__(self) -> dict[str, Path]:
        return {"path": self.path}  # other processes read the file themselves

    def exist(self, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(n,) whether each annotation has a mask. ids: (n,)."""
        return np.isin(ids, self._ids)

    def of(self, ids: NDArray[np.int64], size: tuple[int, int]) -> NDArray[np.bool_]:
        """(n, height, width) the masks, empty for an annotation that has none. size: height and
        width of their image."""
        masks = np.zeros((len(ids), *size), bool)
        for mask, number in zip(masks, ids.tolist(), strict=True):
            if number in self._texts:
                fill(mask, self._texts[number])
        return masks

    def segmentations(self, ids: NDArray[np.int64]) -> list[bytes]:
        """The JSON of each annotation's `segmentation`, as the file has it; empty if there is no
        mask."""
        return [self._texts.get(number, b"") for number in ids.tolist()]


def fill(mask: NDArray[np.bool_], segmentation: bytes) -> None:
    """Sets the pixels of a mask in place; none if it has another size, or can't be parsed.

    mask: (height, width). segmentation: the JSON of COCO's `segmentation`.
    """
    shape = parsed(segmentation)
    if isinstance(shape, Runs):
        _fill_runs(mask, shape)
    elif shape is not None:
        for points in _rings(shape):
            mask |= inside(points, mask.shape[0], mask.shape[1])


def _fill_runs(mask: NDArray[np.bool_], runs: Runs) -> None:
    """Sets the pixels of run lengths, which go down the columns and begin with those outside."""
    counts = unpack(runs.counts) if isinstance(runs.counts, str) else np.array(runs.counts)
    if runs.size != mask.shape or counts is None or counts.sum() != mask.size:
        return
    values = np.arange(len(counts)) % 2 == 1
    mask[:] = np.repeat(values, counts).reshape(mask.shape[::-1]).T


def _rings(polygons: Polygons) -> list[NDArray[np.float64]]:
    """(k, 2) x and y of the corners of each polygon that has an area."""
    rings = [ring for ring in polygons if len(ring) >= 6 and not len(ring) % 2]
    return [np.array(ring, np.float64).reshape(-1, 2) for ring in rings]


def inside(points: NDArray[np.float64], height: int, width: int) -> NDArray[np.bool_]:
    """(height, width) whether the center of each pixel is inside a polygon: whether an odd number
    of its edges is to the left.

    points: (n, 2) x and y of the corners.
    """
    x1, y1 = points.T
    x2, y2 = np.roll(points, -1, axis=0).T
    first = np.clip(np.ceil(np.minimum(y1, y2) - 0.5), 0, height).astype(np.int64)
    end = np.clip(np.ceil(np.maximum(y1, y2) - 0.5), 0, height).astype(np.int64)
    counts = end - first
    edge = np.repeat(np.arange(len(points)), counts)
    rows = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + first[edge]
    share = (rows + 0.5 - y1[edge]) / (y2 - y1)[edge]
    crossed = x1[edge] + share * (x2 - x1)[edge]
    columns = np.clip(np.ceil(crossed - 0.5), 0, width).astype(np.int64)
    toggles = np.zeros((height, width + 1), np.int8)
    np.add.at(toggles, (rows, columns), 1)
    odd: NDArray[np.bool_] = np.cumsum(toggles, axis=1, dtype=np.int64)[:, :width] % 2 == 1
    return odd
