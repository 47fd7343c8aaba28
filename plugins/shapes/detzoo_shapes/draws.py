"""Random numbers of one scene, the same on every machine and with every numpy.

They come from the raw output of a bit generator, which numpy keeps stable, and from arithmetic that
IEEE 754 defines to the last bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from numpy.random import PCG64, SeedSequence

T = TypeVar("T")

BLOCK = 512
UNIT = 2.0**-53


class Draws:
    """Draws numbers that depend on the key alone.

    key: whole numbers from 0, as seed, split and index.
    """

    def __init__(self, *key: int) -> None:
        self._source = PCG64(SeedSequence(key))
        self._block: list[int] = []

    def _raw(self) -> int:
        if not self._block:
            self._block = self._source.random_raw(BLOCK).tolist()
        return self._block.pop()

    def uniform(self, low: float = 0.0, high: float = 1.0) -> float:
        """A number in [low, high)."""
        return low + (high - low) * ((self._raw() >> 11) * UNIT)

    def integer(self, count: int) -> int:
        """A whole number from 0 to `count - 1`."""
        return self._raw() * count >> 64

    def chance(self, share: float) -> bool:
        """True with the probability `share`."""
        return self.uniform() < share

    def choice(self, items: Sequence[T]) -> T:
        """One of the items."""
        return items[self.integer(len(items))]

    def weighted(self, weights: Sequence[int]) -> int:
        """A position, each as often as its weight says."""
        at = self.integer(sum(weights))
        for position, weight in enumerate(weights):
            at -= weight
            if at < 0:
                return position
        raise ValueError("weights are whole numbers, and one is above 0")

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """The items in another order."""
        rest = list(items)
        return [rest.pop(self.integer(len(rest))) for _ in items]

    def direction(self) -> tuple[float, float]:
        """Cosine and sine of an angle of the whole circle, from a rational point on it."""
        t = self.uniform(0.0, 0.4142135623730951)  # the tangent of half of 45 degrees
        cosine, sine = (1 - t * t) / (1 + t * t), 2 * t / (1 + t * t)
        octant = self.integer(8)
        if octant & 1:
            cosine, sine = sine, cosine
        return (-cosine if octant & 2 else cosine), (-sine if octant & 4 else sine)
