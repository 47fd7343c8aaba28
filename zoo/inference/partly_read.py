"""Warnings of what reading lost, each kind with its first images by name, and the rest of them as a
number."""

from __future__ import annotations

import warnings
from collections import Counter

from zoo.images import Image, ImageWarning
from zoo.text import pluralize

SHOWN = 3  # images a kind that are named
_REST = {
    "frames": "more frames or pages than the first, which is read",
    "bits": "more than 8 bits a channel",
    "range": "values in less than half of their range, so that they come out dark",
    "transparency": "transparent places",
}


class PartlyRead:
    """Counts what reading has lost so far in one stream of images."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def note(self, image: Image) -> None:
        """Warns of what reading the image lost, unless enough were named."""
        for loss in image.lost:
            self._counts[loss.kind] += 1
            if self._counts[loss.kind] <= SHOWN:
                warnings.warn(f"Image '{image.source}': {loss.case}", ImageWarning, stacklevel=2)

    def sum_up(self) -> None:
        """Warns of the others by their number."""
        for kind, count in self._counts.items():
            if count > SHOWN:
                has = "has" if count - SHOWN == 1 else "have"
                text = f"{pluralize(count - SHOWN, 'more image')} {has} {_REST[kind]}."
                warnings.warn(text, ImageWarning, stacklevel=2)
