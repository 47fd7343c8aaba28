"""Precision and recall from outcomes in vectorised numpy: the readable form of
`kernel/accumulate.c`, with the same bits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.offsets import starts_of
from zoo.evaluate.coco.match_records import MatchRecords
from zoo.evaluate.coco.problem import MatchingProblem

EPS = np.spacing(1.0)  # pycocotools adds it to every denominator


@dataclass(frozen=True, eq=False)
class Curves:
    """Precision at fixed recalls, interpolated as COCO does; -1 where a class has no box in a
    range.

    limits:    (l,) detections per image and class, of the precision.
    precision: (l, r, t, p, k): limit, range, IoU threshold, recall point, class.
    scores:    (l, r, t, p, k) the score at which each precision is reached; l is 0 without scores.
    recall:    (m, r, t, k) the largest recall, at every limit of the settings.
    positives: (r, k) boxes that count.
    """

    limits: tuple[int, ...]
    precision: NDArray[np.float64]
    scores: NDArray[np.float64]
    recall: NDArray[np.float64]
    positives: NDArray[np.int64]

    @classmethod
    def blank(
        cls,
        limits: Sequence[int],
        positives: NDArray[np.int64],
        plan: MatchingProblem,
        *,
        scores: bool,
    ) -> Curves:
        """Curves of nothing yet, all -1."""
        ranges, classes = positives.shape
        shape = (len(limits), ranges, len(plan.settings.ious), plan.settings.recalls, classes)
        recall = np.full((len(plan.settings.detections), *shape[1:3], classes), -1.0)
        reached_at = np.full(shape if scores else (0, *shape[1:]), -1.0)
        return cls(tuple(limits), np.full(shape, -1.0), reached_at, recall, positives)


def mean(values: NDArray[np.float64]) -> float:
    """The mean of the values that are defined, -1 where none is."""
    valid = values[values > -1]
    return float(np.mean(valid)) if len(valid) else -1.0


def by_score(
    outcomes: MatchRecords, classes: int, *, threads: int = 1
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(n,) detections by class, then best first, and (k + 1,) where each class begins; outcomes are
    in order.

    Of equal scores the one in the smaller image id comes first. threads: not used here.
    """
    del threads
    order = np.lexsort((-outcomes.scores, outcomes.labels))
    return order, np.searchsorted(outcomes.labels[order], np.arange(classes + 1))


def accumulate(
    outcomes: MatchRecords,
    plan: MatchingProblem,
    positives: NDArray[np.int64],
    *,
    limits: Sequence[int],
    scores: bool = True,
    threads: int = 1,
) -> Curves:
    """COCO's accumulation (cocoeval.py `accumulate`) of outcomes that are in order.

    positives: (r, k) boxes that count. limits: where precision is wanted. scores: whether those of
        the curves are wanted too.
    threads: not used here.
    """
    del threads
    curves = Curves.blank(limits, positives, plan, scores=scores)
    order, edges = by_score(outcomes, positives.shape[1])
    hit_of = np.full(len(outcomes), -1, np.int64)
    hit_of[outcomes.hits] = np.arange(len(outcomes.hits))
    points = plan.settings.recall_points()
    for area, label in np.argwhere(positives):
        count = int(positives[area, label])
        needed = np.searchsorted(
            np.arange(count + 1) / count, points
        )  # (p,) true positives that reach each recall
        rows = order[edges[label] : edges[label + 1]]
        true, false = _true_and_false(
            outcomes, rows, hit_of[rows], int(area), len(plan.settings.ious)
        )
        for number, limit in enumerate(plan.settings.detections):
            within = outcomes.ranks[rows] < limit
            curves.recall[number, area, :, label] = true[within].sum(0) / count
            if limit in limits:
                at = (limits.index(limit), area, slice(None), slice(None), label)
                values = _interpolate(
                    true[within], false[within], outcomes.scores[rows[within]], needed
                )
                curves.precision[at] = values[0]
                if scores:
                    curves.scores[at] = values[1]
    return curves


def _true_and_false(
    outcomes: MatchRecords,
    rows: NDArray[np.int64],
    hits: NDArray[np.int64],
    area: int,
    thresholds: int,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(n, t) twice: which detections are true positives in a range, and which are false ones; the
    rest are ignored."""
    correct = np.zeros(len(rows), np.uint16)
    ignored = np.where((outcomes.outside[rows] >> area) & 1, np.uint16(0xFFFF), np.uint16(0))
    hit = hits >= 0
    correct[hit] = outcomes.correct[hits[hit], area]
    ignored[hit] = outcomes.ignored[hits[hit], area]
    bits = np.arange(thresholds)
    return (correct[:, None] >> bits) & 1 == 1, ((correct | ignored)[:, None] >> bits) & 1 == 0


def _interpolate(
    true: NDArray[np.bool_],
    false: NDArray[np.bool_],
    scores: NDArray[Any],
    needed: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(t, p) twice: the best precision at each recall point or beyond, and the score there; 0 where
    it is not reached."""
    matched = np.cumsum(true, axis=0)
    precision = matched / (np.cumsum(false, axis=0) + matched + EPS)
    best = np.maximum.accumulate(precision[::-1], axis=0)[::-1]  # (n, t)
    totals = true.sum(0)
    row = np.nonzero(true.T)[1]  # by threshold, then best first
    which, point = np.nonzero((needed <= totals[:, None]) & (len(true) > 0))
    nth = starts_of(totals)[which] + needed[point] - 1
    at = np.where(needed[point] == 0, 0, np.append(row, 0)[nth])
    values = np.zeros((2, len(totals), len(needed)))
    values[0, which, point] = best[at, which]
    values[1, which, point] = scores[at]
    return values[0], values[1]
