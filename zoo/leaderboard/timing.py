"""How fast a row's model is and how much it takes, measured in a process of its own (`zoo.timing`).

Latency is one image in, boxes out: preprocess, forward and decode in batches of one, after a warm-
up, on images of the data set; reading files is not counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta

from zoo.errors import DataError, ZooError
from zoo.leaderboard.entry import Timing
from zoo.timing.clock import quantile
from zoo.timing.timed import Call, Facts, TimedModel, Variant
from zoo.timing.worker import Worker


class Request(Variant, frozen=True, kw_only=True):
    """A model to be timed, and how. runs: images; seconds: after so long no more runs begin."""

    warm_up: Annotated[int, Meta(ge=1)] = 5
    runs: Annotated[int, Meta(ge=1)]
    seconds: float = 20.0


def time_model(request: Request) -> Timing:
    """The timing of a model, measured in a new process. Raises: DataError with what that process
    said where it failed."""
    try:
        with Worker(request) as worker:
            worker.load()
            return _timing(worker, request)
    except ZooError as error:
        case = " ".join(str(error).split())
        fix = "Leave timing out with `timing: false`."
        raise DataError(f"'{request.model}' can't be timed.", case, fix) from error


def measure(request: Request) -> Timing:
    """The timing of a model, measured here. Raises: what loading and detecting raise."""
    return _timing(TimedModel(request), request)


def _timing(timed: Worker | TimedModel, request: Request) -> Timing:
    timed.warm_up(1, calls=request.warm_up, seconds=request.seconds)
    calls = timed.run(1, calls=request.runs, seconds=request.seconds)
    return _of(calls, timed.facts())


def _of(calls: Sequence[Call], facts: Facts) -> Timing:
    seconds = sorted(call.seconds for call in calls)
    return Timing(
        hardware=facts.hardware,
        threads=facts.threads,
        runs=len(seconds),
        median_ms=1000 * quantile(seconds, 0.5),
        p95_ms=1000 * quantile(seconds, 0.95),
        peak_mb=facts.peak_mb,
        gflops=facts.gflops,
    )
