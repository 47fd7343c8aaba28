"""Masks of a COCO file: polygons and run lengths as pixels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from zoo.data.formats.coco.segmentation import Polygons, Runs, parsed, unpacked
from zoo.data.json_file import content, decoded
from zoo.data.masks import Size

_NOTHING = msgspec.Raw()
_EMPTY = (b"", b"null", b"[]", b"{}")
LONGEST_EMPTY = max(map(len, _EMPTY))


class _Annotation(msgspec.Struct):
    id: Any = None
    segmentation: msgspec.Raw = _NOTHING


class _File(msgspec.Struct):
    annotations: list[_Annotation] = []


@dataclass(frozen=True, eq=False)
class CocoMasks:
    """The masks of one file, which is read again when the first is asked for; those of annotations
    without an id are not known. Of several with one id, the first has it, as its box does."""

    path: Path

    @cached_property
    def _texts(self) -> dict[int, bytes]:
        texts: dict[int, bytes] = {}
        for number, text in self._read():
            texts.setdefault(number, bytes(text))
        return texts

    @cached_property
    def _ids(self) -> NDArray[np.int64]:
        """Those that have one; all texts together can be most of a large file."""
        if "_texts" in vars(self):
            return np.array(list(self._texts), np.int64)
        return np.array([number for number, _ in self._read()], np.int64)

    def _read(self) -> Iterator[tuple[int, msgspec.Raw]]:
        """The ids and the texts of the masks."""
        for annotation in decoded(content(self.path), _File, str(self.path)).annotations:
            text = annotation.segmentation
            is_empty = len(memoryview(text)) <= LONGEST_EMPTY and bytes(text) in _EMPTY
            if isinstance(annotation.id, int) and not is_empty:
                yield annotation.id, text

    def __getstate__(self) -> dict[str, Path]:
        return {"path": self.path}  # other processes read it for themselves

    def known(self, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        return np.isin(ids, self._ids)

    def of(self, ids: NDArray[np.int64], size: Size) -> NDArray[np.bool_]:
        masks = np.zeros((len(ids), *size), bool)
        for mask, number in zip(masks, ids.tolist(), strict=True):
            if number in self._texts:
                fill(mask, self._texts[number])
        return masks

    def segmentations(self, ids: NDArray[np.int64]) -> list[bytes]:
        return [self._texts.get(number, b"") for number in ids.tolist()]


def fill(mask: NDArray[np.bool_], segmentation: bytes) -> None:
    """Sets the pixels of a mask; none where it is of another size, or can't be understood.

    segmentation: the field's JSON.
    """
    shape = parsed(segmentation)
    if isinstance(shape, Runs):
        _fill_runs(mask, shape)
    elif shape is not None:
        for points in _rings(shape):
            mask |= inside(points, mask.shape[0], mask.shape[1])


def _fill_runs(mask: NDArray[np.bool_], runs: Runs) -> None:
    """Runs go down the columns, the first of pixels that are not in the mask."""
    counts = unpacked(runs.counts) if isinstance(runs.counts, str) else np.array(runs.counts)
    if runs.size != mask.shape or counts is None or counts.sum() != mask.size:
        return
    values = np.arange(len(counts)) % 2 == 1
    mask[:] = np.repeat(values, counts).reshape(mask.shape[::-1]).T


def _rings(polygons: Polygons) -> list[NDArray[np.float64]]:
    whole = [ring for ring in polygons if len(ring) >= 6 and not len(ring) % 2]
    return [np.array(ring, np.float64).reshape(-1, 2) for ring in whole]


def inside(points: NDArray[np.float64], height: int, width: int) -> NDArray[np.bool_]:
    """(height, width) the pixels whose middle is in a polygon, by the parity of its edges to the
    left of it.

    points: (n, 2) x and y of its corners.
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
