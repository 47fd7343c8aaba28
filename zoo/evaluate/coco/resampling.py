"""AP and recall of resampled images in vectorised numpy, from outcomes alone: the readable form
of `kernel/resample.c`.

Drawing images with replacement (Efron & Tibshirani, An Introduction to the Bootstrap, 1993) gives
each a weight, the number of times it was drawn. An image that counts w times is w copies of it
next to each other in the ranking: of its detections with equal scores first all of one copy, then
all of the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoo.evaluate.coco.accumulation import EPS, mean
from zoo.evaluate.coco.match_records import MatchRecords
from zoo.evaluate.coco.problem import MatchingProblem

_CELLS = 1 << 21  # numbers that are held at a time in one array, which bounds the memory


@dataclass(frozen=True, eq=False)
class Ranking:
    """Detections by class, then best first, and boxes by class, with the image each belongs to.

    edges:    (k + 1,) where each class begins.
    images: (n,) uint32, columns of the weights.
    tied:     (n,) uint32, at the first of several detections of one image and class that have equal
              scores and a hit among them, their number; 0 elsewhere.
    outside, ranks, hit: (n,) as in the outcomes; whether it is a hit.
    correct, ignored:    (h, r) masks of the hits, in this order.
    box_edges, box_images, box_ignore: (k + 1,), (g,), (g,) the same of the boxes that count
        somewhere.
    """

    edges: NDArray[np.int64]
    images: NDArray[np.uint32]
    tied: NDArray[np.uint32]
    outside: NDArray[np.uint16]
    ranks: NDArray[np.uint16]
    hit: NDArray[np.bool_]
    correct: NDArray[np.uint16]
    ignored: NDArray[np.uint16]
    box_edges: NDArray[np.int64]
    box_images: NDArray[np.uint32]
    box_ignore: NDArray[np.uint16]

    @classmethod
    def of(
        cls,
        outcomes: MatchRecords,
        order: NDArray[Any],
        edges: NDArray[np.int64],
        counted: NDArray[np.int64],
        plan: MatchingProblem,
    ) -> Ranking:
        """order, edges: as from `by_score`. counted: (m,) ascending, the images to draw from, as
        rows of the ground truth."""
        hit = np.zeros(len(outcomes), bool)
        hit[outcomes.hits] = True
        hit_of = np.zeros(len(outcomes), np.int64)
        hit_of[outcomes.hits] = np.arange(len(outcomes.hits))
        hits = hit_of[order][hit[order]]
        truth = plan.truth
        images = np.searchsorted(counted, outcomes.image_of())[order].astype(np.uint32)
        boxes = np.flatnonzero(np.isin(truth.images, counted))
        boxes = boxes[np.argsort(truth.labels[boxes], kind="stable")]
        return cls(
            edges=edges,
            images=images,
            tied=_count_ties(outcomes.scores[order], images, edges, hit[order]),
            outside=outcomes.outside[order],
            ranks=outcomes.ranks[order],
            hit=hit[order],
            correct=np.ascontiguousarray(outcomes.correct[hits]),
            ignored=np.ascontiguousarray(outcomes.ignored[hits]),
            box_edges=np.searchsorted(truth.labels[boxes], np.arange(len(truth.label_space) + 1)),
            box_images=np.searchsorted(counted, truth.images[boxes]).astype(np.uint32),
            box_ignore=plan.ignore[boxes],
        )


@dataclass(frozen=True, eq=False)
class Replicates:
    """Means of b resamplings over the classes that have boxes in each; NaN where no class has.

    precision: (b, r) of all thresholds, recall points and classes, in this order. recall: (b, r).
    alone:     (b, t) precision in the first range at each threshold alone.
    limited:   (b, l) recall in the first range at every limit; the others are read at one limit.
    of_class:  (b, k) precision of each class in the first range.
    """

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    alone: NDArray[np.float64]
    limited: NDArray[np.float64]
    of_class: NDArray[np.float64]

    @classmethod
    def blank(cls, replicates: int, plan: MatchingProblem) -> Replicates:
        """Nothing defined yet."""
        ranges, limits = len(plan.ranges), len(plan.settings.detections)
        widths = (ranges, ranges, len(plan.settings.ious), limits, len(plan.truth.label_space))
        return cls(*(np.full((replicates, width), np.nan) for width in widths))


def draws(images: int, replicates: range, seed: int) -> NDArray[np.uint32]:
    """(b, images) how often each image is drawn in some replicates.

    Draw i of replicate b is a hash (SplitMix64, Steele et al. 2014) of seed, b and i: the same for
    ever, on every machine, and for every model, so that two models can be compared on the same
    draws.
    """
    counts = np.zeros((len(replicates), images), np.uint32)
    steps = np.arange(1, images + 1, dtype=np.uint64)
    for row, number in enumerate(replicates):
        key = _mix(np.array([(seed * 0x1_0000_0000 + number) % 2**64], np.uint64))
        high = _mix(np.add(key, steps, dtype=np.uint64)) >> np.uint64(32)
        drawn = high * np.uint64(images) >> np.uint64(32)  # 0 .. images - 1, evenly
        counts[row] = np.bincount(drawn.astype(np.int64), minlength=images)
    return counts


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    mixed = values * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _count_ties(
    scores: NDArray[Any],
    images: NDArray[np.uint32],
    edges: NDArray[np.int64],
    hit: NDArray[np.bool_],
) -> NDArray[np.uint32]:
    """See `Ranking.tied`."""
    new = np.ones(len(scores), bool)  # whether a detection is not tied to the one before it
    new[1:] = (scores[1:] != scores[:-1]) | (images[1:] != images[:-1])
    new[edges[:-1][edges[:-1] < len(scores)]] = True
    tied = np.zeros(len(scores), np.uint32)
    first = np.flatnonzero(new)
    counts = np.diff(first, append=len(scores))
    several = np.flatnonzero(counts > 1)
    hits = np.concatenate([[0], np.cumsum(hit)])
    several = several[hits[first[several] + counts[several]] > hits[first[several]]]
    tied[first[several]] = counts[several]
    return tied


def resample(
    ranking: Ranking,
    plan: MatchingProblem,
    weights: NDArray[np.uint32],
    *,
    limit: int,
    threads: int = 1,
) -> Replicates:
    """weights: (b, m) how often each image counts. limit: detections per image and class.

    threads: not used here.
    """
    del threads
    replicates = Replicates.blank(len(weights), plan)
    classes, ious = len(plan.truth.label_space), len(plan.settings.ious)
    most = max(np.diff(ranking.edges, append=0).max(), plan.settings.recalls * classes)
    step = max(1, _CELLS // int(most * ious))
    for start in range(0, len(weights), step):
        block = slice(start, start + step)
        _means(replicates, block, _curves(ranking, plan, weights[block].astype(np.int64), limit))
    return replicates


def _means(replicates: Replicates, some: slice, curves: _Curves) -> None:
    """Fills in some replicates."""
    for row, at in enumerate(range(len(replicates.precision))[some]):
        precision, recall, limited = curves.precision[row], curves.recall[row], curves.limited[row]
        replicates.precision[at] = [defined_mean(values) for values in precision]
        replicates.recall[at] = [defined_mean(values) for values in recall]
        replicates.alone[at] = [defined_mean(values) for values in precision[0]]
        replicates.limited[at] = [defined_mean(values) for values in limited]
        replicates.of_class[at] = [
            defined_mean(values) for values in np.moveaxis(precision[0], -1, 0)
        ]


def defined_mean(values: NDArray[np.float64]) -> float:
    """The mean of the values that are not -1, as pycocotools takes it; NaN where all are."""
    number = mean(values)
    return np.nan if number == -1 else number


class _Curves(NamedTuple):
    """Of some replicates; -1 where a class has no box: (b, r, t, p, k), (b, r, t, k), (b, l, t,
    k)."""

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    limited: NDArray[np.float64]


def _curves(
    ranking: Ranking, plan: MatchingProblem, weights: NDArray[np.int64], limit: int
) -> _Curves:
    """Every class of some replicates."""
    options, ranges, classes = plan.settings, len(plan.ranges), len(plan.truth.label_space)
    replicates, ious = len(weights), len(options.ious)
    curves = _Curves(
        np.full((replicates, ranges, ious, options.recalls, classes), -1.0),
        np.full((replicates, ranges, ious, classes), -1.0),
        np.full((replicates, len(options.detections), ious, classes), -1.0),
    )
    hits = np.cumsum(ranking.hit) - 1
    for label in range(classes):
        rows = np.arange(ranking.edges[label], ranking.edges[label + 1])
        turns = _in_turns(ranking, rows, weights)
        _class(curves, ranking, plan, weights, turns, hits, label=label, limit=limit)
    return curves


def _in_turns(
    ranking: Ranking, rows: NDArray[np.int64], weights: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows of a class with tied ones repeated, and for each which copy it is, from 1; 0 for all
    copies at once."""
    parts, turns, done = [], [], rows[0] if len(rows) else 0
    for first in rows[ranking.tied[rows] > 1]:
        group = np.arange(first, first + ranking.tied[first])
        most = int(weights[:, ranking.images[first]].max(initial=0))
        parts += [np.arange(done, first), np.tile(group, most)]
        turns += [np.zeros(first - done, np.int64), np.repeat(np.arange(1, most + 1), len(group))]
        done = group[-1] + 1
    rest = rows[rows >= done]
    return np.concatenate([*parts, rest]), np.concatenate([*turns, np.zeros(len(rest), np.int64)])


def _class(
    curves: _Curves,
    ranking: Ranking,
    plan: MatchingProblem,
    weights: NDArray[np.int64],
    turns: tuple[NDArray[np.int64], NDArray[np.int64]],
    hit_of: NDArray[np.int64],
    *,
    label: int,
    limit: int,
) -> None:
    """Fills in one class of some replicates."""
    rows, turn = turns
    boxes = slice(ranking.box_edges[label], ranking.box_edges[label + 1])
    weight = weights[:, ranking.images[rows]]  # (b, n)
    weight = np.where(turn > 0, weight >= turn, weight)
    at = np.flatnonzero(ranking.hit[rows])
    hits = hit_of[rows[at]]
    within = ranking.ranks[rows] < limit
    bits = np.arange(len(plan.settings.ious))
    for area in range(len(plan.ranges)):
        counts = (ranking.box_ignore[boxes] >> area) & 1 == 0
        positives = weights[:, ranking.box_images[boxes][counts]].sum(1)  # (b,)
        present = np.flatnonzero(positives)
        missed = within & ~ranking.hit[rows] & ((ranking.outside[rows] >> area) & 1 == 0)
        before = np.cumsum(weight * missed, axis=1)[:, at]  # (b, h)
        correct = (ranking.correct[hits, area, None] >> bits) & 1  # (h, t)
        verdicts = ranking.correct[hits, area, None] | ranking.ignored[hits, area, None]
        wrong = (~verdicts >> bits) & 1
        counted = (weight * within)[:, at]  # (b, h)
        reached = _Reached(counted[present], before[present], positives[present])
        precision, recall = _interpolate(reached, correct, wrong, plan.settings.recall_points())
        curves.precision[present, area, :, :, label] = precision
        curves.recall[present, area, :, label] = recall
        for number, most in enumerate(plan.settings.detections if area == 0 else ()):
            matched = (weight[:, at] * (ranking.ranks[rows][at] < most)) @ correct  # (b, t)
            curves.limited[present, number, :, label] = matched[present] / positives[present, None]


class _Reached(NamedTuple):
    """At the hits of a class: how often each counts and what matches nothing before it, (b, h), and
    boxes (b,)."""

    weight: NDArray[np.int64]
    before: NDArray[np.int64]
    positives: NDArray[np.int64]


def _interpolate(
    at: _Reached,
    correct: NDArray[np.integer],
    wrong: NDArray[np.integer],
    points: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(b, t, p) the best precision at each recall point or beyond, 0 where it is not reached; (b,
    t) recall."""
    replicates, thresholds = len(at.weight), correct.shape[1]
    gained = at.weight[:, :, None] * correct  # (b, h, t)
    matched = np.cumsum(gained, axis=1)
    false = np.cumsum(at.weight[:, :, None] * wrong, axis=1) + at.before[:, :, None]
    precision = np.where(gained > 0, matched / (false + matched + EPS), 0.0)
    best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    best = np.concatenate([best, np.zeros((replicates, 1, thresholds))], axis=1)
    recall = matched / at.positives[:, None, None]
    reached = np.where(matched > 0, np.searchsorted(points, recall, side="right"), 0)
    curve = np.arange(replicates * thresholds).reshape(replicates, 1, thresholds) * (
        len(points) + 1
    )
    short = np.bincount(
        (curve + reached).ravel(), minlength=replicates * thresholds * (len(points) + 1)
    )
    short = short.reshape(replicates, thresholds, len(points) + 1).cumsum(2)[
        :, :, :-1
    ]  # hits that do not reach a point
    values = np.take_along_axis(best.transpose(0, 2, 1), short, axis=2)
    if not correct.shape[0]:
        return values, np.zeros((replicates, thresholds))
    return values, recall[:, -1]
