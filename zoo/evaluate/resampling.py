"""AP and recall of resampled pictures in vectorised numpy, from outcomes alone: the readable form of `kernel/resample.c`.

Drawing pictures with replacement (Efron & Tibshirani, An Introduction to the Bootstrap, 1993) gives each a weight, the number of
times it was drawn. A picture that counts w times is w copies of it next to each other in the ranking: of its detections with
equal scores first all of one copy, then all of the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.evaluate.accumulate import EPS
from zoo.evaluate.outcomes import Outcomes
from zoo.evaluate.plan import Plan

_CELLS = 1 << 21  # numbers that are held at a time in one array, which bounds the memory


@dataclass(frozen=True, eq=False)
class Ranking:
    """Detections by class, then best first, and boxes by class, with the picture each belongs to.

    edges:    (k + 1,) where each class begins.
    pictures: (n,) uint32, columns of the weights.
    tied:     (n,) uint32, where several detections of one picture and class have equal scores and one of them is a hit, how many
              there are, at the first of them; 0 elsewhere.
    outside, ranks, hit: (n,) as in the outcomes; whether it is a hit.
    correct, ignored:    (h, r) masks of the hits, in this order.
    box_edges, box_pictures, box_ignore: (k + 1,), (g,), (g,) the same of the boxes that count somewhere.
    """

    edges: NDArray[np.int64]
    pictures: NDArray[np.uint32]
    tied: NDArray[np.uint32]
    outside: NDArray[np.uint16]
    ranks: NDArray[np.uint16]
    hit: NDArray[np.bool_]
    correct: NDArray[np.uint16]
    ignored: NDArray[np.uint16]
    box_edges: NDArray[np.int64]
    box_pictures: NDArray[np.uint32]
    box_ignore: NDArray[np.uint16]

    @classmethod
    def of(
        cls, outcomes: Outcomes, order: NDArray[Any], edges: NDArray[np.int64], counted: NDArray[np.int64], plan: Plan
    ) -> Ranking:
        """order, edges: as from `by_score`. counted: (m,) ascending, the pictures to draw from, as rows of the ground truth."""
        hit = np.zeros(len(outcomes), bool)
        hit[outcomes.hits] = True
        hit_of = np.zeros(len(outcomes), np.int64)
        hit_of[outcomes.hits] = np.arange(len(outcomes.hits))
        hits = hit_of[order][hit[order]]
        truth = plan.truth
        pictures = np.searchsorted(counted, outcomes.image_of())[order].astype(np.uint32)
        boxes = np.flatnonzero(np.isin(truth.images, counted))
        boxes = boxes[np.argsort(truth.labels[boxes], kind="stable")]
        return cls(
            edges=edges,
            pictures=pictures,
            tied=_tied(outcomes.scores[order], pictures, edges, hit[order]),
            outside=outcomes.outside[order],
            ranks=outcomes.ranks[order],
            hit=hit[order],
            correct=np.ascontiguousarray(outcomes.correct[hits]),
            ignored=np.ascontiguousarray(outcomes.ignored[hits]),
            box_edges=np.searchsorted(truth.labels[boxes], np.arange(len(truth.space) + 1)),
            box_pictures=np.searchsorted(counted, truth.images[boxes]).astype(np.uint32),
            box_ignore=plan.ignore[boxes],
        )


@dataclass(frozen=True, eq=False)
class Replicates:
    """What b resamplings give; a class without boxes in one has `positives` 0 there, and its other numbers mean nothing.

    ap, recall: (b, r, t, k) at the headline limit. limited: (b, l, t, k) recall in the first range at every limit.
    positives:  (b, r, k) boxes that count.
    """

    ap: NDArray[np.float64]
    recall: NDArray[np.float64]
    limited: NDArray[np.float64]
    positives: NDArray[np.int64]

    @classmethod
    def blank(cls, replicates: int, plan: Plan) -> Replicates:
        """Zeros."""
        ranges, ious, classes = len(plan.ranges), len(plan.settings.ious), len(plan.truth.space)
        return cls(
            np.zeros((replicates, ranges, ious, classes)),
            np.zeros((replicates, ranges, ious, classes)),
            np.zeros((replicates, len(plan.settings.detections), ious, classes)),
            np.zeros((replicates, ranges, classes), np.int64),
        )


def draws(pictures: int, replicates: range, seed: int) -> NDArray[np.uint32]:
    """(b, pictures) how often each picture is drawn in some replicates.

    Draw i of replicate b is a hash (SplitMix64, Steele et al. 2014) of seed, b and i: the same for ever, on every machine, and
    for every model, so that two models can be compared on the same draws.
    """
    counts = np.zeros((len(replicates), pictures), np.uint32)
    steps = np.arange(1, pictures + 1, dtype=np.uint64)
    for row, number in enumerate(replicates):
        key = _mixed(np.array([(seed * 0x1_0000_0000 + number) % 2**64], np.uint64))
        high = _mixed(np.add(key, steps, dtype=np.uint64)) >> np.uint64(32)
        drawn = high * np.uint64(pictures) >> np.uint64(32)  # 0 .. pictures - 1, evenly
        counts[row] = np.bincount(drawn.astype(np.int64), minlength=pictures)
    return counts


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    mixed = values * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _tied(
    scores: NDArray[Any], pictures: NDArray[np.uint32], edges: NDArray[np.int64], hit: NDArray[np.bool_]
) -> NDArray[np.uint32]:
    """See `Ranking.tied`."""
    new = np.ones(len(scores), bool)  # whether a detection is not tied to the one before it
    new[1:] = (scores[1:] != scores[:-1]) | (pictures[1:] != pictures[:-1])
    new[edges[:-1][edges[:-1] < len(scores)]] = True
    tied = np.zeros(len(scores), np.uint32)
    first = np.flatnonzero(new)
    counts = np.diff(first, append=len(scores))
    several = np.flatnonzero(counts > 1)
    hits = np.concatenate([[0], np.cumsum(hit)])
    several = several[hits[first[several] + counts[several]] > hits[first[several]]]
    tied[first[several]] = counts[several]
    return tied


def resample(ranking: Ranking, plan: Plan, weights: NDArray[np.uint32], *, limit: int, threads: int = 1) -> Replicates:
    """weights: (b, m) how often each picture counts. limit: detections per picture and class for AP. threads: not used here."""
    del threads
    made = Replicates.blank(len(weights), plan)
    hits = np.cumsum(ranking.hit) - 1
    for label in range(len(plan.truth.space)):
        rows = np.arange(ranking.edges[label], ranking.edges[label + 1])
        boxes = slice(ranking.box_edges[label], ranking.box_edges[label + 1])
        size = max(1, len(rows), int(ranking.hit[rows].sum()) * len(plan.settings.ious))
        for start in range(0, len(weights), max(1, _CELLS // size)):
            some = slice(start, start + max(1, _CELLS // size))
            weight = weights[some].astype(np.int64)
            _class(made, ranking, plan, weight, _in_turns(ranking, rows, weight), hits, boxes, (some, label, limit))
    return made


def _in_turns(
    ranking: Ranking, rows: NDArray[np.int64], weights: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows of a class with tied ones repeated, and for each which copy it is, from 1; 0 for all copies at once."""
    parts, turns, done = [], [], rows[0] if len(rows) else 0
    for first in rows[ranking.tied[rows] > 1]:
        group = np.arange(first, first + ranking.tied[first])
        most = int(weights[:, ranking.pictures[first]].max(initial=0))
        parts += [np.arange(done, first), np.tile(group, most)]
        turns += [np.zeros(first - done, np.int64), np.repeat(np.arange(1, most + 1), len(group))]
        done = group[-1] + 1
    rest = rows[rows >= done]
    return np.concatenate([*parts, rest]), np.concatenate([*turns, np.zeros(len(rest), np.int64)])


def _class(
    made: Replicates,
    ranking: Ranking,
    plan: Plan,
    weights: NDArray[np.int64],
    turns: tuple[NDArray[np.int64], NDArray[np.int64]],
    hit_of: NDArray[np.int64],
    boxes: slice,
    where: tuple[slice, int, int],
) -> None:
    """Fills in one class of some replicates."""
    (rows, turn), (some, label, limit) = turns, where
    weight = weights[:, ranking.pictures[rows]]  # (b, n)
    weight = np.where(turn > 0, weight >= turn, weight)
    at = np.flatnonzero(ranking.hit[rows])
    hits = hit_of[rows[at]]
    within = ranking.ranks[rows] < limit
    bits = np.arange(len(plan.settings.ious))
    for area in range(len(plan.ranges)):
        counts = (ranking.box_ignore[boxes] >> area) & 1 == 0
        positives = weights[:, ranking.box_pictures[boxes][counts]].sum(1)  # (b,)
        made.positives[some, area, label] = positives
        missed = within & ~ranking.hit[rows] & ((ranking.outside[rows] >> area) & 1 == 0)
        before = np.cumsum(weight * missed, axis=1)[:, at]  # (b, h)
        correct = (ranking.correct[hits, area, None] >> bits) & 1  # (h, t)
        wrong = (~(ranking.correct[hits, area, None] | ranking.ignored[hits, area, None]) >> bits) & 1
        counted = (weight * within)[:, at]  # (b, h)
        ap, recall = _areas(counted, correct, wrong, before, positives, plan)
        made.ap[some, area, :, label], made.recall[some, area, :, label] = ap, recall
        if area == 0:
            for number, most in enumerate(plan.settings.detections):
                found = (weight[:, at] * (ranking.ranks[rows][at] < most)) @ correct  # (b, t)
                made.limited[some, number, :, label] = np.divide(
                    found, positives[:, None], out=np.zeros(found.shape), where=positives[:, None] > 0
                )


def _areas(
    weight: NDArray[np.int64],
    correct: NDArray[np.integer],
    wrong: NDArray[np.integer],
    before: NDArray[np.int64],
    positives: NDArray[np.int64],
    plan: Plan,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(b, t) area under the interpolated curve at the recall points, and recall."""
    points = plan.settings.recall_points()
    gained = weight[:, :, None] * correct  # (b, h, t)
    found = np.cumsum(gained, axis=1)
    false = np.cumsum(weight[:, :, None] * wrong, axis=1) + before[:, :, None]
    precision = np.where(gained > 0, found / (false + found + EPS), 0.0)
    best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    there = np.maximum(positives, 1)[:, None, None]
    reached = np.where(found > 0, np.searchsorted(points, found / there, side="right"), 0)
    new = np.diff(reached, axis=1, prepend=0)  # (b, h, t) recall points that this hit is the first to reach
    defined = positives[:, None] > 0
    if not weight.shape[1]:
        return np.zeros((len(weight), correct.shape[1])), np.zeros((len(weight), correct.shape[1]))
    area = np.cumsum((best * new)[:, ::-1], axis=1)[:, -1] / len(points)  # from the end, as the kernel
    return np.where(defined, area, 0.0), np.where(defined, found[:, -1] / there[:, 0], 0.0)
