"""Whether one engine is faster than another: both run in turn, so that other processes affect
both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import process_time

import numpy as np

from zoo.contract import Batch
from zoo.engines.engine import Engine

ROUNDS = 40
# Two runs of one pair of files on one machine gave ratios 0.09 apart, with disjoint intervals, as
# memory layout and other processes differ between runs.
BETWEEN_RUNS = 0.05
_RESAMPLES = 2000


@dataclass(frozen=True)
class Speed:
    """The network's processor time per image for two files, on one core.

    before, after: medians of the float32 graph and of the file, in milliseconds.
    ratio:         after / before, the median of all turns; low, high: its 95 % interval.
    """

    before: float
    after: float
    ratio: float
    low: float
    high: float

    @property
    def faster(self) -> bool:
        """Whether the file is faster, beyond chance and the differences between runs."""
        return self.high < 1 - BETWEEN_RUNS

    def __str__(self) -> str:
        return (
            f"{self.after:.1f} ms of one core per image, and {self.before:.1f} in float32: "
            f"{self.ratio:.2f} times as long (95 % interval of this run {self.low:.2f} to "
            f"{self.high:.2f})"
        )


def compare_speed(before: Engine, after: Engine, batch: Batch, *, rounds: int = ROUNDS) -> Speed:
    """Times two engines in turn on a batch, after a warm-up turn."""
    seconds = np.array(
        [(_seconds(before, batch), _seconds(after, batch)) for _ in range(rounds + 1)]
    )
    return speed_of(seconds[1:, 0].tolist(), seconds[1:, 1].tolist())


def speed_of(before: Sequence[float], after: Sequence[float]) -> Speed:
    """The speed from the seconds of each turn, by bootstrap over the turns."""
    ratios = np.array(after) / np.array(before)
    draws = np.random.default_rng(0).integers(0, len(ratios), (_RESAMPLES, len(ratios)))
    low, high = np.quantile(np.median(ratios[draws], axis=1), (0.025, 0.975))
    return Speed(
        before=1000 * float(np.median(before)),
        after=1000 * float(np.median(after)),
        ratio=float(np.median(ratios)),
        low=float(low),
        high=float(high),
    )


def _seconds(engine: Engine, batch: Batch) -> float:
    begin = process_time()
    engine.forward(batch)
    return process_time() - begin
