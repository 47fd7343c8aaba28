"""Masks of annotated objects, read on first use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Masks(Protocol):
    """The masks of a data set, by annotation id."""

    def exist(self, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(n,) whether each annotation has a mask."""

    def of(self, ids: NDArray[np.int64], size: tuple[int, int]) -> NDArray[np.bool_]:
        """(n, height, width) the masks, empty for an annotation that has none.

        size: height and width of their image.
        """

    def segmentations(self, ids: NDArray[np.int64]) -> list[bytes]:
        """The JSON of COCO's `segmentation` of each annotation, empty if it has no mask."""


@dataclass(frozen=True, eq=False)
class FewerMasks:
    """The masks of a data set without those of some annotations.

    without: (k,) ids of these annotations.
    """

    masks: Masks
    without: NDArray[np.int64]

    def exist(self, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        return self.masks.exist(ids) & ~np.isin(ids, self.without)

    def of(self, ids: NDArray[np.int64], size: tuple[int, int]) -> NDArray[np.bool_]:
        return self.masks.of(ids, size) & self.exist(ids)[:, None, None]

    def segmentations(self, ids: NDArray[np.int64]) -> list[bytes]:
        texts = zip(self.masks.segmentations(ids), self.exist(ids), strict=True)
        return [text if exists else b"" for text, exists in texts]


@dataclass(frozen=True, eq=False)
class MergedMasks:
    """The masks of several data sets that were merged into one.

    parts: the masks of each data set, None if it has none. counts: its number of annotations.
    old, new: (n,) ids of all annotations, one data set after another: before and after the merge.
    """

    parts: Sequence[Masks | None]
    counts: Sequence[int]
    old: NDArray[np.int64]
    new: NDArray[np.int64]

    @cached_property
    def _rows(self) -> dict[int, int]:
        return {number: row for row, number in enumerate(self.new.tolist())}

    def _each(self, ids: NDArray[np.int64]) -> list[tuple[Masks | None, NDArray[np.int64]]]:
        """The masks that each annotation's is among, and its old id, (1,)."""
        rows = [self._rows.get(number, -1) for number in ids.tolist()]
        indices = np.searchsorted(np.cumsum(self.counts), rows, side="right").tolist()
        return [
            (self.parts[index] if row >= 0 else None, self.old[[row]])
            for row, index in zip(rows, indices, strict=True)
        ]

    def exist(self, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        exist = [part is not None and bool(part.exist(old)[0]) for part, old in self._each(ids)]
        return np.array(exist, bool)

    def of(self, ids: NDArray[np.int64], size: tuple[int, int]) -> NDArray[np.bool_]:
        masks = np.zeros((len(ids), *size), bool)
        for mask, (part, old) in zip(masks, self._each(ids), strict=True):
            if part is not None:
                mask[:] = part.of(old, size)[0]
        return masks

    def segmentations(self, ids: NDArray[np.int64]) -> list[bytes]:
        return [
            b"" if part is None else part.segmentations(old)[0] for part, old in self._each(ids)
        ]
