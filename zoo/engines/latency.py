"""Whether one engine is faster than another: both in turn, so that what else the machine does meets
both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import process_time

import numpy as np

from zoo.contract import Batch
from zoo.engines.engine import Engine

ROUNDS = 40
# The ratio of one pair of files differed by nine hundredths between two runs on one machine, whose
# intervals excluded each other: memory lies elsewhere, and the machine does other things.
BETWEEN_RUNS = 0.05
_RESAMPLES = 2000


@dataclass(frozen=True)
class Speed:
    """The network's time for an image, of two files in turn: seconds of one core.

    before, after: in milliseconds, the medians of the float32 graph and of the file.
    ratio:         after : before, the median of all turns; low, high: its 95 % interval.
    """

    before: float
    after: float
    ratio: float
    low: float
    high: float

    @property
    def faster(self) -> bool:
        """Whether the second is, beyond what chance makes of so few turns and of another run."""
        return self.high < 1 - BETWEEN_RUNS

    def __str__(self) -> str:
        return (
            f"{self.after:.1f} ms of one core an image, and {self.before:.1f} in float32: "
            f"{self.ratio:.2f} times as long (95 % interval of this run {self.low:.2f} to "
            f"{self.high:.2f})"
        )


def compared(before: Engine, after: Engine, batch: Batch, *, rounds: int = ROUNDS) -> Speed:
    """The second against the first, each with one thread; after a turn to warm up."""
    seconds = np.array(
        [(_seconds(before, batch), _seconds(after, batch)) for _ in range(rounds + 1)]
    )
    return speed_of(seconds[1:, 0].tolist(), seconds[1:, 1].tolist())


def speed_of(before: Sequence[float], after: Sequence[float]) -> Speed:
    """The speed from the seconds of each turn."""
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
    begun = process_time()
    engine.forward(batch)
    return process_time() - begun
