"""How far a number would move on other images: bootstrap intervals, and whether two models really
differ.

Images are drawn with replacement, as many as there are (Efron & Tibshirani, An Introduction to
the Bootstrap, 1993), and the numbers computed again from the outcomes. The interval is centred: the
percentiles of the replicates, moved so that their mean lies on the number itself. Interpolated AP
is larger on fewer distinct images, so that replicates lie too high: by simulation
(`benchmarks/coverage.py`) centred intervals cover the number expected on other data of the same
size, percentiles too rarely. The interval of a difference is symmetric around it (Hall, Annals of
Statistics 1988), and is the test of the p-value turned
round: it holds 0 exactly where the p-value is above 1 - level.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event
from time import monotonic

import numpy as np
from numpy.typing import NDArray

from zoo.evaluate.background import check_going
from zoo.evaluate.coco.matched_images import MatchedImages
from zoo.evaluate.coco.resampling import draws
from zoo.evaluate.coco.summary import summarise_replicates

_AT_ONCE = 1024  # replicates that are drawn at a time, at most,
_HELD = 1 << 26  # and the bytes of their draws
WHOLE = 2.0  # the reach of an interval that holds every difference of two shares
SECONDS = 1.0  # what a block of replicates may take: the longest that Ctrl-C waits for


@dataclass(frozen=True)
class Interval:
    """Where a number lies with the probability `level`."""

    low: float
    high: float
    level: float = 0.95

    def __str__(self) -> str:
        return f"{self.low:.3f} to {self.high:.3f}"


@dataclass(frozen=True)
class Difference:
    """A number of two models on the same images.

    difference: b - a, with its interval. p_value: how often a difference this large appears where
        there is none, in (0, 1].
    The interval holds 0 exactly where the p-value is above 1 - level.
    """

    a: float
    b: float
    difference: float
    interval: Interval
    p_value: float


def resampled(
    matched: MatchedImages, *, resamples: int, seed: int, stop: Event | None = None
) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.float64]]:
    """Every headline number in each replicate, (b,) by name, and AP of each class (b, k); NaN where
    one is not defined.

    stop: ends it between two blocks. Raises: CancelledError then.
    """
    if not resamples:
        return {}, np.zeros((0, len(matched.plan.truth.label_space)))
    plan, ranking, images = matched.plan, matched.ranking(), int(matched.counted.sum())
    parts, classes = [], []
    start, most = 0, max(1, min(_AT_ONCE, _HELD // (4 * images + 1)))
    least = min(most, matched.backend.lanes * matched.threads)
    step = least
    while start < resamples:
        check_going(stop)
        began = monotonic()
        weights = draws(images, range(start, min(start + step, resamples)), seed)
        block = matched.backend.resample(
            ranking, plan, weights, limit=matched.limit, threads=matched.threads
        )
        parts.append(summarise_replicates(block, plan, matched.policy, limit=matched.limit))
        classes.append(block.of_class)
        start += step
        fitting = int(step * SECONDS / max(monotonic() - began, 1e-6))
        step = max(least, min(most, fitting) // least * least)
    return {
        name: np.concatenate([part[name] for part in parts]) for name in parts[0]
    }, np.concatenate(classes)


def centred_interval(
    estimate: float, replicates: Sequence[float] | NDArray[np.float64], *, level: float = 0.95
) -> Interval | None:
    """The interval around a number; None where fewer than half of the replicates have it.

    Ends that lie beyond what precision and recall can be, 0 and 1, are moved there: no value that
    could be the number is lost.
    """
    values = np.asarray(replicates, np.float64)
    finite = values[np.isfinite(values)]
    if 2 * len(finite) < len(values) or len(finite) < 2:
        return None
    ends = np.quantile(finite, [(1 - level) / 2, (1 + level) / 2]) - finite.mean() + estimate
    low, high = ends.clip(0, 1)
    return Interval(float(low), float(high), level)


def difference(
    a: tuple[float, Sequence[float]], b: tuple[float, Sequence[float]], *, level: float = 0.95
) -> Difference | None:
    """Compares a number and its replicates of two models; replicate by replicate the same images
    were drawn for both.

    None where fewer than half of the replicates have both.
    """
    gap = b[0] - a[0]
    moved = np.asarray(b[1], np.float64) - np.asarray(a[1], np.float64)
    interval = symmetric(gap, moved, level=level)
    if interval is None:
        return None
    finite = moved[np.isfinite(moved)]
    by_chance = int((np.abs(finite - finite.mean()) >= abs(gap)).sum())
    return Difference(a[0], b[0], gap, interval, (1 + by_chance) / (1 + len(finite)))


def symmetric(
    gap: float, replicates: Sequence[float] | NDArray[np.float64], *, level: float = 0.95
) -> Interval | None:
    """The interval around a difference, as far up as down; None where fewer than half of the
    replicates have it.

    Its half width is the distance from their mean at which the p-value is just above 1 - level.
    Fewer than 19 replicates can say nothing at 95 %: then it holds every difference of two shares.
    """
    values = np.asarray(replicates, np.float64)
    finite = values[np.isfinite(values)]
    if 2 * len(finite) < len(values) or len(finite) < 2:
        return None
    far = float(reach(finite[None], level=level)[0])
    if far == WHOLE:
        return Interval(-1.0, 1.0, level)
    return Interval(gap - far, gap + far, level)


def reach(replicates: NDArray[np.float64], *, level: float = 0.95) -> NDArray[np.float64]:
    """How far the interval of each difference goes up and down from it, (q,); `WHOLE` where there
    are too few replicates to say. replicates: (q, b) finite ones."""
    count = replicates.shape[1]
    rare = int((1 - level) * (1 + count) + 1e-9)
    # with 1 + by_chance up to `rare`, the p-value is at most 1 - level
    if not rare:
        return np.full(len(replicates), WHOLE)
    apart = np.abs(replicates - replicates.mean(axis=1, keepdims=True))
    return np.partition(apart, count - rare, axis=1)[:, count - rare]
