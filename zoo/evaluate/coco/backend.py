"""The two implementations of matching and accumulation: the compiled kernel if it was built, else
numpy; both give the same bits."""

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

BackendName = Literal["auto", "kernel", "numpy"]


class KernelNotice(UserWarning):
    """The compiled kernel can't be loaded; numpy gives the same numbers, more slowly."""


class Backend(Protocol):
    """The operations that both implement.

    lanes: replicates that a thread resamples together, in the time of one.
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


def choose(name: BackendName = "auto") -> Backend:
    """The backend of that name; `auto` is the kernel if it was built, else numpy, with one notice
    per process.

    Raises: OSError if `name` is "kernel" and it can't be loaded; UsageError for an unknown name.
    """
    check_choice("backend", name, get_args(BackendName))
    if name == "numpy":
        return Numpy()
    return native.Kernel() if name == "kernel" else best_backend()


@cache
def best_backend() -> Backend:
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


def available() -> list[BackendName]:
    """The backends that work here."""
    try:
        native.Kernel()
    except OSError:
        return ["numpy"]
    return ["numpy", "kernel"]
