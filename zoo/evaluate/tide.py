"""What kind of mistakes cost how much AP: TIDE (Bolya et al., ECCV 2020), from outcomes.

Each false detection gets one kind, in tidecv's order; a kind's cost is the AP at IoU .5 that is gained when an oracle repairs it.
Two differences to tidecv 1.0.1: classes without boxes do not count, as in COCO; and a detection on a crowd is no mistake.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoo.evaluate.accumulate import EPS
from zoo.evaluate.verdicts import Verdicts

POSITIVE, BACKGROUND = np.float32(0.5), np.nextafter(np.float32(0.1), np.float32(0))  # as stored: rounded towards 0
KINDS = {
    "class": "overlaps a box of another class by .5 or more",
    "location": "overlaps a box of its class by .1 to .5",
    "both": "overlaps a box of another class by .1 to .5",
    "duplicate": "overlaps a box that a better detection has found",
    "background": "overlaps nothing by .1",
    "missed": "a box that no detection finds, not even one of the wrong class or place",
}


@dataclass(frozen=True)
class Mistake:
    """How often a kind of mistake occurs, and the AP at IoU .5 that it costs."""

    count: int
    cost: float


@dataclass(frozen=True)
class Mistakes:
    """Every kind of `KINDS`, and the cost of all false detections and of all boxes that were not found."""

    kinds: dict[str, Mistake]
    false_positives: float
    false_negatives: float


@dataclass(frozen=True, eq=False)
class _Case:
    """Detections with what AP takes, so that an oracle can change them. `positives`: (k,) boxes; `kept`: (n,) bool."""

    labels: NDArray[np.int64]
    scores: NDArray[np.float64]
    true: NDArray[np.bool_]
    kept: NDArray[np.bool_]
    positives: NDArray[np.int64]


def mistakes(verdicts: Verdicts) -> Mistakes:
    """The mistakes at IoU .5, over detections of every score."""
    case = _Case(verdicts.labels, verdicts.scores, verdicts.true, verdicts.counted, verdicts.positives)
    measured = verdicts.positives > 0
    base = _ap(case, measured)
    kinds = _kinds(verdicts)
    target = np.where(kinds == "class", verdicts.boxes[:, 1], np.where(kinds == "location", verdicts.boxes[:, 0], -1))
    repaired = _first_claims(target, verdicts)
    pointed_at = np.zeros(len(verdicts.missed), bool)
    pointed_at[target[target >= 0]] = True
    lost = verdicts.missed & ~pointed_at
    gains = {}
    for kind in KINDS:
        mine = kinds == kind
        if kind == "missed":
            fixed = _Case(case.labels, case.scores, case.true, case.kept, case.positives - _count(lost, verdicts))
        else:
            right = mine & repaired
            labels = np.where(right, verdicts.box_labels[target] if len(verdicts.box_labels) else 0, case.labels)
            fixed = _Case(labels, case.scores, case.true | right, case.kept & (~mine | right), case.positives)
        gains[kind] = Mistake(int(lost.sum() if kind == "missed" else mine.sum()), max(_ap(fixed, measured) - base, 0.0))
    ranked = _Case(case.labels, case.true.astype(np.float64), case.true, case.kept, case.positives)
    found = _Case(case.labels, case.scores, case.true, case.kept, case.positives - _count(verdicts.missed, verdicts))
    return Mistakes(gains, _ap(ranked, measured) - base, _ap(found, measured) - base)


def _kinds(verdicts: Verdicts) -> NDArray[np.str_]:
    """(n,) the kind of each false detection; empty for the others."""
    own, other = verdicts.ious[:, 0], verdicts.ious[:, 1]
    tests = [
        ~verdicts.counted | verdicts.true,
        (own >= BACKGROUND) & (own <= POSITIVE),
        other >= POSITIVE,
        own >= POSITIVE,
        np.maximum(own, other) <= BACKGROUND,
    ]
    return np.select(tests, ["", "location", "class", "duplicate", "background"], "both")


def _first_claims(target: NDArray[np.int32], verdicts: Verdicts) -> NDArray[np.bool_]:
    """(n,) the detections whose repair finds a box: for each box that was not found, the best one that points at it."""
    claims = np.flatnonzero((target >= 0) & verdicts.missed[target]) if len(verdicts.missed) else np.zeros(0, np.int64)
    claims = claims[np.argsort(-verdicts.scores[claims], kind="stable")]
    first = np.zeros(len(target), bool)
    first[claims[np.unique(target[claims], return_index=True)[1]]] = True
    return first


def _count(boxes: NDArray[np.bool_], verdicts: Verdicts) -> NDArray[np.int64]:
    return np.bincount(verdicts.box_labels[boxes], minlength=len(verdicts.positives))


def _ap(case: _Case, measured: NDArray[np.bool_]) -> float:
    """Mean AP at IoU .5 over the measured classes; a class without boxes or detections left is left out, as in tidecv."""
    rows = np.flatnonzero(case.kept)
    rows = rows[np.lexsort((-case.scores[rows], case.labels[rows]))]
    edges = np.searchsorted(case.labels[rows], np.arange(len(measured) + 1))
    values = []
    for label in np.flatnonzero(measured):
        mine = rows[edges[label] : edges[label + 1]]
        if len(mine) or case.positives[label]:
            values.append(_ap_of(case.true[mine], int(case.positives[label])))
    return float(np.mean(values)) if values else 0.0


def _ap_of(true: NDArray[np.bool_], positives: int) -> float:
    """COCO's interpolated AP of detections that are best first."""
    at = np.flatnonzero(true)
    if not positives or not len(at):
        return 0.0
    found = np.arange(1.0, len(at) + 1)
    precision = found / (at + 1 + EPS)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    reached = np.searchsorted(found / positives, np.linspace(0, 1, 101))
    return float(best[reached[reached < len(best)]].sum() / 101)
