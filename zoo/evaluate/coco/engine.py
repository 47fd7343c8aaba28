"""Which code does the arithmetic: the compiled kernel where it is there, numpy otherwise; both give
the same bits."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import cache
from typing import Any, Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from zoo.evaluate.coco import accumulation, matching, native, resampling
from zoo.evaluate.coco.accumulation import Curves
from zoo.evaluate.coco.flatten import FlatDetections
from zoo.evaluate.coco.match_records import MatchRecords, Room
from zoo.evaluate.coco.problem import MatchingProblem
from zoo.evaluate.coco.resampling import Ranking, Replicates
from zoo.suggest import check_choice

EngineName = Literal["auto", "kernel", "numpy"]


class KernelNotice(UserWarning):
    """The compiled kernel is not there; numpy gives the same numbers, more slowly."""


class Engine(Protocol):
    """The operations that exist twice.

    lanes: replicates that a thread resamples at a time, in the time of one.
    """

    name: str
    lanes: int

    def match(
        self,
        flat: FlatDetections,
        images: NDArray[np.int64],
        plan: MatchingProblem,
        *,
        analyses: bool,
        threads: int,
        room: Room | None = None,
    ) -> MatchRecords: ...

    def by_score(
        self, outcomes: MatchRecords, classes: int, *, threads: int
    ) -> tuple[NDArray[Any], NDArray[np.int64]]: ...

    def accumulate(
        self,
        outcomes: MatchRecords,
        plan: MatchingProblem,
        positives: NDArray[np.int64],
        *,
        limits: Sequence[int],
        scores: bool = True,
        threads: int,
    ) -> Curves: ...

    def resample(
        self,
        ranking: Ranking,
        plan: MatchingProblem,
        weights: NDArray[np.uint32],
        *,
        limit: int,
        threads: int,
    ) -> Replicates: ...


class Numpy:
    """Vectorised numpy; works everywhere."""

    name = "numpy"
    lanes = 1
    match = staticmethod(matching.match)
    by_score = staticmethod(accumulation.by_score)
    accumulate = staticmethod(accumulation.accumulate)
    resample = staticmethod(resampling.resample)


def choose(name: EngineName = "auto") -> Engine:
    """The engine of that name; `auto` is the kernel where it was built, else numpy, with one notice
    a process.

    Raises: OSError if the kernel is not there and `engine` names it; UsageError for another name.
    """
    check_choice("engine", name, get_args(EngineName))
    if name == "numpy":
        return Numpy()
    return native.Kernel() if name == "kernel" else best_engine()


@cache
def best_engine() -> Engine:
    try:
        return native.Kernel()
    except OSError as error:
        notice = (
            f"The compiled evaluation kernel is not there ({error}); numpy gives the same numbers, "
            f"about ten times slower."
        )
        warnings.warn(
            f"{notice} To build it: install a C compiler, then pip install --force-reinstall "
            f"detzoo.",
            KernelNotice,
            stacklevel=4,
        )
        return Numpy()


def available() -> list[EngineName]:
    """The engines that work here."""
    try:
        native.Kernel()
    except OSError:
        return ["numpy"]
    return ["numpy", "kernel"]
