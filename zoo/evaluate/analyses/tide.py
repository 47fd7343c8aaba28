"""The AP that each kind of mistake costs: TIDE (Bolya et al., ECCV 2020), from match records.

Each false detection gets one kind, in tidecv's order; a kind's cost is the AP at IoU .5 that is
gained when an oracle repairs it. Two differences to tidecv 1.0.1: classes without boxes do not
count, as in COCO; and a detection on a crowd is not a mistake.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from zoo.evaluate.analyses.matches import Matches
from zoo.evaluate.coco.accumulation import EPS

POSITIVE, BACKGROUND = (
    np.float32(0.5),
    np.nextafter(np.float32(0.1), np.float32(0)),
)  # as stored: rounded towards 0
KINDS = {
    "class": "overlaps a box of another class by .5 or more",
    "location": "overlaps a box of its class by .1 to .5",
    "both": "overlaps a box of another class by .1 to .5",
    "duplicate": "overlaps a box that a better detection has found",
    "background": "overlaps nothing by .1",
    "missed": "a box that no detection finds, not even one of the wrong class or place",
}
_RECALLS = np.linspace(0, 1, 101)
_NUMBER = {kind: number for number, kind in enumerate(KINDS)}


@dataclass(frozen=True)
class Mistake:
    """How often a kind of mistake occurs, and the AP at IoU .5 that it costs."""

    count: int
    cost: float


@dataclass(frozen=True)
class Mistakes:
    """Every kind of `KINDS`, and the cost of all false detections and of all boxes that were not
    found."""

    kinds: dict[str, Mistake]
    false_positives: float
    false_negatives: float


@dataclass(frozen=True, eq=False)
class _Case:
    """Detections with what AP takes, so that an oracle can change them.

    positives: (k,) boxes. kept: (n,) bool. edges: (k + 1,) where each class begins, or None where
        they are not by class, then best first. true_first: rank the true ones of a class before the
        false ones, whatever their scores.
    """

    labels: NDArray[np.int64]
    scores: NDArray[np.float64]
    true: NDArray[np.bool_]
    kept: NDArray[np.bool_]
    positives: NDArray[np.int64]
    edges: NDArray[np.int64] | None
    true_first: bool = False


def mistakes(matches: Matches) -> Mistakes:
    """The mistakes at IoU .5, over detections of every score."""
    case = _Case(
        matches.labels,
        matches.scores,
        matches.true,
        matches.counted,
        matches.positives,
        matches.edges,
    )
    measured = matches.positives > 0
    base = _ap(case, measured)
    kinds = _kinds(matches)
    moved, stayed = kinds == _NUMBER["class"], kinds == _NUMBER["location"]
    target = np.where(moved, matches.boxes[:, 1], np.where(stayed, matches.boxes[:, 0], -1))
    repaired = _first_claims(target, matches)
    pointed_at = np.zeros(len(matches.missed), bool)
    pointed_at[target[target >= 0]] = True
    lost = matches.missed & ~pointed_at
    gains = {}
    for number, kind in enumerate(KINDS):
        mine = kinds == number
        if kind == "missed":
            fixed = replace(case, positives=case.positives - _count(lost, matches))
        else:
            right = mine & repaired
            fixed = replace(case, true=case.true | right, kept=case.kept & (~mine | right))
        if kind == "class":
            labels = case.labels.copy()
            labels[right] = matches.box_labels[target[right]]
            fixed = replace(fixed, labels=labels, edges=None)
        gains[kind] = Mistake(
            int(lost.sum() if kind == "missed" else mine.sum()),
            max(_ap(fixed, measured) - base, 0.0),
        )
    ranked = replace(case, true_first=True)
    complete = replace(case, positives=case.positives - _count(matches.missed, matches))
    return Mistakes(gains, _ap(ranked, measured) - base, _ap(complete, measured) - base)


def _kinds(matches: Matches) -> NDArray[np.int8]:
    """(n,) the kind of each false detection, as a position in `KINDS`; -1 for the others."""
    own, other = matches.ious[:, 0], matches.ious[:, 1]
    kinds = np.full(len(own), _NUMBER["both"], np.int8)
    for kind, those in (  # the last that holds decides
        ("background", np.maximum(own, other) <= BACKGROUND),
        ("duplicate", own >= POSITIVE),
        ("class", other >= POSITIVE),
        ("location", (own >= BACKGROUND) & (own <= POSITIVE)),
    ):
        kinds[those] = _NUMBER[kind]
    kinds[~matches.counted | matches.true] = -1
    return kinds


def _first_claims(target: NDArray[np.int32], matches: Matches) -> NDArray[np.bool_]:
    """(n,) the detections whose repair finds a box: for each box that was not found, the best one
    that points at it."""
    claims = (
        np.flatnonzero((target >= 0) & matches.missed[target])
        if len(matches.missed)
        else np.zeros(0, np.int64)
    )
    claims = claims[np.argsort(-matches.scores[claims], kind="stable")]
    first = np.zeros(len(target), bool)
    first[claims[np.unique(target[claims], return_index=True)[1]]] = True
    return first


def _count(boxes: NDArray[np.bool_], matches: Matches) -> NDArray[np.int64]:
    return np.bincount(matches.box_labels[boxes], minlength=len(matches.positives))


def _ap(case: _Case, measured: NDArray[np.bool_]) -> float:
    """Mean AP at IoU .5 over the measured classes; a class without boxes or detections left is left
    out, as in tidecv."""
    rows = np.flatnonzero(case.kept)
    if case.edges is None:
        rows = rows[np.lexsort((-case.scores[rows], case.labels[rows]))]
        edges = np.searchsorted(case.labels[rows], np.arange(len(measured) + 1))
    else:
        edges = np.searchsorted(rows, case.edges)
    true = np.flatnonzero(case.true[rows])
    first = np.searchsorted(true, edges)
    values = []
    for label in np.flatnonzero(measured):
        if edges[label] < edges[label + 1] or case.positives[label]:
            mine = true[first[label] : first[label + 1]] - edges[label]
            values.append(
                _ap_of(
                    np.arange(len(mine)) if case.true_first else mine, int(case.positives[label])
                )
            )
    return float(np.mean(values)) if values else 0.0


def _ap_of(at: NDArray[np.int64], positives: int) -> float:
    """COCO's interpolated AP. at: where the true ones stand among all detections, best first."""
    if not positives or not len(at):
        return 0.0
    matched = np.arange(1.0, len(at) + 1)
    precision = matched / (at + 1 + EPS)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    reached = np.searchsorted(matched / positives, _RECALLS)
    return float(best[reached[reached < len(best)]].sum() / 101)
