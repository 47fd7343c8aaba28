"""Ranks that say no more than the images do: models whose difference is not significant share a
rank.

Every pair is compared on the same resampled images. That many comparisons would find differences
where there are none, so the p-values are adjusted by the step-down maximum of resampled statistics
(Westfall & Young 1993; Romano & Wolf, Econometrica 2005): with 95 % probability not one of the
differences called significant is chance. It is Holm's procedure with the dependence of the
comparisons taken from the resamplings; Holm's own multiplies p-values, which are at least 1/1001
here, so that among a dozen models it could never find any difference.

Ranks are groups (Piepho, J. Comput. Graph. Stat. 2004): two models share one exactly where their
difference is not significant. A model between two others that differ is in both of their groups,
and has both ranks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from zoo.evaluate import Report
from zoo.evaluate.intervals import Interval, symmetric

LEVEL = 0.95
AT_ONCE = 4096  # pairs whose resamplings are held; of all pairs of many models they fill memory


@dataclass(frozen=True)
class Pair:
    """Two models, by position. difference: AP of b less that of a.

    interval: of this pair alone, as `zoo.compare` gives it. p_value: adjusted for all comparisons
        of the table, and so never
    below that of the pair alone: where it is 1 - level or less, the interval does not hold 0, but
        not the other way round.
    """

    a: int
    b: int
    difference: float
    interval: Interval | None
    p_value: float


@dataclass(frozen=True)
class Ranking:
    """ranks: of each model, ascending, 1 the best; empty where it can't be compared. pairs: every
    comparison that was made."""

    ranks: tuple[tuple[int, ...], ...]
    pairs: tuple[Pair, ...]


def rank(reports: Sequence[Report], *, number: str = "AP") -> Ranking:
    """Ranks by one number. Reports without resamplings, or with other ones than most, have no
    rank."""
    able = _comparable(reports, number)
    if not able:
        return Ranking(tuple(() for _ in reports), ())
    values = np.array([reports[at].numbers[number] for at in able], np.float64)
    drawn = np.array([_replicates(reports[at], number) for at in able], np.float64)
    drawn = drawn[:, np.isfinite(drawn).all(0)]
    pairs = list(combinations(range(len(able)), 2))
    p_values = adjusted(values, drawn, pairs)
    differ = {pair for pair, p_value in zip(pairs, p_values, strict=True) if p_value <= 1 - LEVEL}
    ranks: list[tuple[int, ...]] = [() for _ in reports]
    for place, members in enumerate(groups(values.tolist(), differ), start=1):
        for member in members:
            ranks[able[member]] = (*ranks[able[member]], place)
    made = [
        Pair(
            able[a],
            able[b],
            gap := float(values[b] - values[a]),
            symmetric(gap, drawn[b] - drawn[a], level=LEVEL),
            p_value,
        )
        for (a, b), p_value in zip(pairs, p_values, strict=True)
    ]
    return Ranking(tuple(ranks), tuple(made))


def adjusted(
    values: NDArray[np.float64], drawn: NDArray[np.float64], pairs: Sequence[tuple[int, int]]
) -> list[float]:
    """The p-value of each pair, adjusted for all of them. values: (m,). drawn: (m, b) in the same
    resamplings."""
    if not pairs:
        return []
    first, second = np.array(pairs).T
    gaps = values[second] - values[first]  # (q,)
    parts = [slice(start, start + AT_ONCE) for start in range(0, len(gaps), AT_ONCE)]
    spread = np.concatenate(
        [(drawn[second[part]] - drawn[first[part]]).std(axis=1) for part in parts]
    )
    steady = np.where(spread > 0, spread, 1.0)
    ratios = np.where(spread > 0, np.abs(gaps) / steady, np.where(gaps != 0, np.inf, 0.0))
    order = np.argsort(-ratios, kind="stable")
    raw = np.empty(len(gaps))
    among = np.zeros(drawn.shape[1])  # (b,) the largest so far, from the least clear pair on
    for part in reversed(parts):
        rows = order[part]
        moved = drawn[second[rows]] - drawn[first[rows]]
        chance = np.abs(moved - moved.mean(axis=1, keepdims=True)) / steady[rows, None]
        chance[-1] = np.maximum(chance[-1], among)
        largest = np.maximum.accumulate(chance[::-1], axis=0)[::-1]
        among = largest[0]
        raw[part] = (1 + (largest >= ratios[rows, None]).sum(axis=1)) / (1 + drawn.shape[1])
    made = np.empty(len(pairs))
    made[order] = np.maximum.accumulate(raw)
    return [float(value) for value in made]


def groups(values: Sequence[float], differ: set[tuple[int, int]]) -> list[tuple[int, ...]]:
    """The largest sets of models of which no two differ, the best first. differ: pairs of
    positions, the smaller one first."""
    apart = [0] * len(values)  # a bit for each later model that differs
    for a, b in differ:
        apart[a] |= 1 << b
    groups = [(1 << len(values)) - 1]
    for at, others in enumerate(apart):
        kept: list[int] = []
        parts: dict[int, None] = {}
        for whole in groups:
            if whole >> at & 1 and whole & others:
                parts |= dict.fromkeys([whole & ~(1 << at), whole & ~others])
            else:
                kept.append(whole)
        every = [*kept, *parts]
        groups = kept + [
            part for part in parts if not any(part & other == part != other for other in every)
        ]
    best_first = [
        tuple(
            sorted(
                (at for at in range(len(values)) if group >> at & 1),
                key=lambda at: (-values[at], at),
            )
        )
        for group in groups
    ]
    return sorted(best_first, key=lambda group: ([-values[at] for at in group], group))


def _comparable(reports: Sequence[Report], number: str) -> list[int]:
    """The reports whose resamplings are the ones that most have."""
    keys = [_key(report, number) for report in reports]
    known = [key for key in keys if key is not None]
    if not known:
        return []
    usual = max(known, key=known.count)
    return [at for at, key in enumerate(keys) if key == usual]


def _key(report: Report, number: str) -> tuple[object, ...] | None:
    drawn = report.resamplings
    if (
        drawn is None
        or report.numbers.get(number) is None
        or len(drawn.numbers.get(number, ())) < 2
    ):
        return None
    measured = report.measured
    return (
        measured.sha256,
        measured.image_ids_sha256,
        report.settings,
        report.policy,
        drawn.seed,
        len(drawn.numbers[number]),
    )


def _replicates(report: Report, number: str) -> list[float]:
    assert report.resamplings is not None
    return [
        float("nan") if value is None else value for value in report.resamplings.numbers[number]
    ]
