"""Masks of annotated objects, which are read when they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Size = tuple[int, int]


class Masks(Protocol):
    """The masks that a data set knows, by the ids of its annotations."""

    def known(self, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(n,) whether there is a mask of each annotation."""

    def of(self, ids: NDArray[np.int64], size: Size) -> NDArray[np.bool_]:
        """(n, height, width) the masks; of one that is not known, without a pixel.

        size: height and width of the image that they are all in.
        """

    def segmentations(self, ids: NDArray[np.int64]) -> list[bytes]:
        """The masks as a COCO file has them: the JSON of `segmentation`, empty where there is
        none."""


@dataclass(frozen=True, eq=False)
class FewerMasks:
    """Masks without those of some annotations."""

    masks: Masks
    without: NDArray[np.int64]

    def known(self, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        return self.masks.known(ids) & ~np.isin(ids, self.without)

    def of(self, ids: NDArray[np.int64], size: Size) -> NDArray[np.bool_]:
        return self.masks.of(ids, size) & self.known(ids)[:, None, None]

    def segmentations(self, ids: NDArray[np.int64]) -> list[bytes]:
        texts = zip(self.masks.segmentations(ids), self.known(ids), strict=True)
        return [text if known else b"" for text, known in texts]


@dataclass(frozen=True, eq=False)
class MergedMasks:
    """The masks of several data sets under the ids that their annotations have together.

    parts: of each data set, None if it has none. counts: of its annotations.
    old, new: (n,) ids of all annotations, in one data set after another.
    """

    parts: Sequence[Masks | None]
    counts: Sequence[int]
    old: NDArray[np.int64]
    new: NDArray[np.int64]

    @cached_property
    def _rows(self) -> dict[int, int]:
        return {number: row for row, number in enumerate(self.new.tolist())}

    def _each(self, ids: NDArray[np.int64]) -> list[tuple[Masks | None, NDArray[np.int64]]]:
        """The source of each annotation, and its id there."""
        rows = [self._rows.get(number, -1) for number in ids.tolist()]
        places = np.searchsorted(np.cumsum(self.counts), rows, side="right").tolist()
        return [
            (self.parts[place] if row >= 0 else None, self.old[[row]])
            for row, place in zip(rows, places, strict=True)
        ]

    def known(self, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        known = [part is not None and bool(part.known(old)[0]) for part, old in self._each(ids)]
        return np.array(known, bool)

    def of(self, ids: NDArray[np.int64], size: Size) -> NDArray[np.bool_]:
        masks = np.zeros((len(ids), *size), bool)
        for mask, (part, old) in zip(masks, self._each(ids), strict=True):
            if part is not None:
                mask[:] = part.of(old, size)[0]
        return masks

    def segmentations(self, ids: NDArray[np.int64]) -> list[bytes]:
        return [
            b"" if part is None else part.segmentations(old)[0] for part, old in self._each(ids)
        ]
