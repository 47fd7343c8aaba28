"""Steadiness: whether the machine was as fast at the end as at the beginning, and left to the
measurement."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from time import perf_counter, process_time

import msgspec

MOST = 1.1  # times its least that the reference may take
SHARE = 0.9  # of the clock's time that the reference computes, at least
BYTES = 4 << 20
TRIES = 3


class Reference(msgspec.Struct, frozen=True):
    """One run of the same work on one core, the fastest of three. seconds: of the clock; computed:
    of the processor."""

    seconds: float
    computed: float

    @classmethod
    def run(cls) -> Reference:
        """Runs it now."""
        content = bytes(BYTES)
        runs = []
        for _ in range(TRIES):
            begun, computed = perf_counter(), process_time()
            hashlib.sha256(content).digest()
            runs.append((perf_counter() - begun, process_time() - computed))
        return cls(*min(runs))


class Steadiness(msgspec.Struct, frozen=True):
    """The same work before, between and after the rounds, with nothing else to do.

    slowest: by how much the slowest run took longer than the fastest, as a factor.
    computed: the least share of the clock's time that a run was computed in; less than all where
        others used the core.
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
        """A sentence on what was not steady; None where all was."""
        if self.computed < SHARE:
            return (
                f"The machine was not steady: others used it, and a fixed piece of work was "
                f"computed in {100 * self.computed:.0f} % of its time."
            )
        if self.slowest > MOST:
            return (
                f"The machine was not steady: a fixed piece of work took up to {self.slowest:.2f} "
                f"times its least."
            )
        return None
