"""Whether the machine kept its speed during a benchmark, and whether other processes used it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from time import perf_counter, process_time

import msgspec

MAX_SLOWDOWN = 1.1  # of the slowest reference run, as a factor of the fastest
MIN_COMPUTED = 0.9  # share of wall-clock time in which the reference has to be computed
BYTES = 4 << 20
TRIES = 3


class Reference(msgspec.Struct, frozen=True):
    """The fastest of three runs of a fixed piece of work on one core. seconds: wall-clock time;
    computed: processor time."""

    seconds: float
    computed: float

    @classmethod
    def run(cls) -> Reference:
        """Runs the work now."""
        content = bytes(BYTES)
        runs = []
        for _ in range(TRIES):
            begin, computed = perf_counter(), process_time()
            hashlib.sha256(content).digest()
            runs.append((perf_counter() - begin, process_time() - computed))
        return cls(*min(runs))


class Steadiness(msgspec.Struct, frozen=True):
    """The speed of a fixed piece of work before, between and after the rounds.

    slowest: duration of the slowest run, as a factor of the fastest.
    computed: the smallest share of wall-clock time in which a run was computed; below 1 if other
        processes used the core.
    """

    slowest: float
    computed: float

    @classmethod
    def of(cls, runs: Sequence[Reference]) -> Steadiness:
        """The steadiness that these runs show."""
        seconds = [run.seconds for run in runs]
        share = min(run.computed / run.seconds for run in runs)
        return cls(max(seconds) / min(seconds), min(1.0, share))

    @property
    def flaw(self) -> str | None:
        """A sentence that says how the machine was not steady; None if it was."""
        if self.computed < MIN_COMPUTED:
            return (
                f"The machine was not steady: other processes used it, and a fixed piece of work "
                f"was computed in {100 * self.computed:.0f} % of its time."
            )
        if self.slowest > MAX_SLOWDOWN:
            return (
                f"The machine was not steady: a fixed piece of work took up to {self.slowest:.2f} "
                f"times its shortest time."
            )
        return None
