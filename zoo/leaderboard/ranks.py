"""Ranks that say no more than the images do: the places that a model may have among the others.

Every pair is compared on the same resampled images. That many comparisons would find differences
where there are none, so the p-values are adjusted by the step-down maximum of resampled statistics
(Westfall & Young 1993; Romano & Wolf, Econometrica 2005): with 95 % probability not one of the
differences called significant is chance. It is Holm's procedure with the dependence of the
comparisons taken from the resamplings; Holm's own multiplies p-values, which are at least 1/1001
here, so that among a dozen models it could never find any difference.

A model's places begin after all that are significantly better and end before all that are
significantly worse, so with the same probability every model's true place is among them (Mogstad,
Romano, Shaikh & Wilhelm, Review of Economic Studies 2024).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoo.evaluate import Report
from zoo.evaluate.intervals import reach

NUMBER = "AP"  # what models are ranked by
LEVEL = 0.95
DECIMALS = 7
AT_ONCE = 4096  # pairs whose resamplings are held; of all pairs of many models they fill memory


@dataclass(frozen=True)
class Pairs:
    """Every comparison that was made, in columns: of a thousand models there are half a million.

    models:   the compared, by position. Each pair has a place in the columns: the first model with
        the second, the third and so on, then the second with the third.
    reach:    how far the interval of the pair alone, which `zoo.compare` gives, goes from the
        difference of the two APs, up as down. Empty where resamplings can't say it.
    p_values: adjusted for all comparisons of the table, and so never below that of the pair alone:
        where it is 1 - level or less, the interval does not hold 0, but not the other way round.
    Both have seven decimals, which tell a share of up to 100,000 replicates from the next.
    """

    models: tuple[int, ...] = ()
    reach: tuple[float, ...] = ()
    p_values: tuple[float, ...] = ()
    level: float = LEVEL

    def place(self, a: int, b: int) -> int:
        """Where the pair of two compared models is in the columns."""
        low, high = sorted((self.models.index(a), self.models.index(b)))
        return low * (2 * len(self.models) - low - 1) // 2 + high - low - 1


@dataclass(frozen=True)
class Ranking:
    """ranks: the first and the last place that each model may have, 1 the best; empty where it
    can't be compared. pairs: every comparison that was made."""

    ranks: tuple[tuple[int, ...], ...]
    pairs: Pairs


def rank(reports: Sequence[Report]) -> Ranking:
    """Ranks by AP. Reports without resamplings, or with other ones than most, have no rank."""
    able = _comparable(reports)
    if not able:
        return Ranking(tuple(() for _ in reports), Pairs())
    values = np.array([reports[at].numbers[NUMBER] for at in able], np.float64)
    drawn = np.array([_replicates(reports[at]) for at in able], np.float64)
    drawn = drawn[:, np.isfinite(drawn).all(0)]
    pairs = np.column_stack(np.triu_indices(len(able), 1))  # (q, 2)
    p_values = adjusted_p_values(values, drawn, pairs)
    ranks: list[tuple[int, ...]] = [() for _ in reports]
    for at, both in zip(able, places(values, pairs[np.array(p_values) <= 1 - LEVEL]), strict=True):
        ranks[at] = both
    far = reaches(drawn, pairs).tolist()
    return Ranking(tuple(ranks), Pairs(tuple(able), rounded(far), rounded(p_values)))


def reaches(drawn: NDArray[np.float64], pairs: NDArray[np.intp]) -> NDArray[np.float64]:
    """How far the interval of each pair alone goes from its difference, (q,); (0,) for fewer than
    two resamplings. drawn: (m, b)."""
    if drawn.shape[1] < 2:
        return np.empty(0)
    parts = [pairs[start : start + AT_ONCE].T for start in range(0, len(pairs), AT_ONCE)]
    blocks = [reach(drawn[second] - drawn[first], level=LEVEL) for first, second in parts]
    return np.concatenate([np.empty(0), *blocks])


def rounded(values: Sequence[float]) -> tuple[float, ...]:
    """Numbers as the columns have them."""
    return tuple(round(float(value), DECIMALS) for value in values)


def adjusted_p_values(
    values: NDArray[np.float64],
    drawn: NDArray[np.float64],
    pairs: Sequence[tuple[int, int]] | NDArray[np.intp],
) -> list[float]:
    """The p-value of each pair, adjusted for all of them. values: (m,). drawn: (m, b) in the same
    resamplings."""
    if not len(pairs):
        return []
    first, second = np.asarray(pairs).T
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
    p_values = np.empty(len(pairs))
    p_values[order] = np.maximum.accumulate(raw)
    return [float(value) for value in p_values]


def places(values: NDArray[np.float64], differ: NDArray[np.intp]) -> list[tuple[int, int]]:
    """The first and the last place of each model: behind those that are better for sure, before
    those that are worse for sure. differ: (d, 2) the pairs whose difference is significant."""
    count = len(values)
    a, b = differ.T
    better, worse = np.where(values[a] > values[b], (a, b), (b, a))
    first = 1 + np.bincount(worse, minlength=count)
    last = count - np.bincount(better, minlength=count)
    return list(zip(first.tolist(), last.tolist(), strict=True))


def _comparable(reports: Sequence[Report]) -> list[int]:
    """The reports whose resamplings are the ones that most have."""
    keys = [_key(report) for report in reports]
    comparable = [key for key in keys if key is not None]
    if not comparable:
        return []
    [(usual, _)] = Counter(comparable).most_common(1)
    return [at for at, key in enumerate(keys) if key == usual]


def _key(report: Report) -> tuple[object, ...] | None:
    drawn = report.resamplings
    if (
        drawn is None
        or report.numbers.get(NUMBER) is None
        or len(drawn.numbers.get(NUMBER, ())) < 2
    ):
        return None
    measured = report.measured
    return (
        measured.sha256,
        measured.image_ids_sha256,
        report.settings,
        report.policy,
        drawn.seed,
        len(drawn.numbers[NUMBER]),
    )


def _replicates(report: Report) -> list[float]:
    assert report.resamplings is not None
    return [
        float("nan") if value is None else value for value in report.resamplings.numbers[NUMBER]
    ]
