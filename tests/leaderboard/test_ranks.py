"""Ranks are the places that a model may have, with all comparisons of a table taken together."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from zoo.evaluate.intervals import difference
from zoo.leaderboard import rank, ranks
from zoo.leaderboard.ranks import adjusted_p_values, places


def test_a_clearly_better_model_has_a_rank_of_its_own(report_of):
    ranking = rank([report_of(0.95, 1), report_of(0.5, 2), report_of(0.5, 3)])
    assert ranking.ranks == ((1, 1), (2, 3), (2, 3))
    assert ranking.pairs.models == (0, 1, 2)
    assert ranking.pairs.p_values[0] < 0.05
    assert ranking.pairs.reach[0] < report_of(0.95, 1).ap - report_of(0.5, 2).ap


def test_a_model_and_itself_share_a_rank(report_of):
    ranking = rank([report_of(0.8, 0), report_of(0.8, 0)])
    assert ranking.ranks == ((1, 2), (1, 2))
    assert ranking.pairs.p_values == (1,)


def test_each_pair_has_a_place_in_the_columns_and_the_interval_of_zoo_compare(report_of):
    reports = [report_of(quality, seed) for seed, quality in enumerate((0.9, 0.7, 0.5, 0.3))]
    pairs = rank([reports[0], replace(reports[1], resamplings=None), *reports[1:]]).pairs
    assert pairs.models == (0, 2, 3, 4)  # the second can't be compared
    places = [pairs.place(a, b) for a, b in combinations(pairs.models, 2)]
    assert places == list(range(6))
    assert pairs.place(4, 2) == pairs.place(2, 4)
    for place, (a, b) in enumerate(combinations(reports, 2)):
        both = [(one.ap, one.resamplings.numbers["AP"]) for one in (a, b)]
        alone = difference(*both).interval
        assert 2 * pairs.reach[place] == pytest.approx(alone.high - alone.low, abs=1e-6)


def test_shares_of_many_replicates_are_told_from_five_percent():
    """A rounded p-value is never on the other side of what makes a difference significant."""
    for replicates in (200, 1000, 100_000):
        shares = np.arange(1, replicates + 2) / (replicates + 1)
        written = ranks.rounded(shares)
        assert ((np.array(written) <= 0.05) == (shares <= 0.05)).all()


def test_a_model_between_two_that_differ_may_have_each_place():
    values = np.array([1.0, 3.0, 2.0])
    assert places(values, np.array([[0, 1]])) == [(2, 3), (1, 2), (1, 3)]


def test_a_report_without_resamplings_has_no_rank(report_of):
    one = replace(report_of(0.9, 1), resamplings=None)
    assert rank([one, report_of(0.5, 2), report_of(0.5, 3)]).ranks == ((), (1, 2), (1, 2))
    assert rank([one]).ranks == ((),)


def test_one_model_is_first(report_of):
    assert rank([report_of(0.9, 1)]).ranks == ((1, 1),)
    assert rank([]).ranks == ()


def test_the_true_place_is_among_those_of_every_model_as_often_as_promised():
    """300 tables of six models, two of them equal: at most 5 % may have a model elsewhere, give or
    take chance."""
    rng = np.random.default_rng(0)
    truth = np.array([0.0, 0.1, 0.1, 0.3, 0.35, 1.0])
    true = [(6, 6), (4, 5), (4, 5), (3, 3), (2, 2), (1, 1)]
    pairs = np.column_stack(np.triu_indices(6, 1))
    wrong = told = 0
    for _ in range(300):
        images = truth[:, None] + rng.normal(size=(6, 80))
        drawn = images @ rng.multinomial(80, np.full(80, 1 / 80), size=200).T / 80
        values = images.mean(1)
        found = places(values, pairs[np.array(adjusted_p_values(values, drawn, pairs)) <= 0.05])
        both = list(zip(found, true, strict=True))
        wrong += any(ours[0] > one[1] or ours[1] < one[0] for ours, one in both)
        told += found[5] == (1, 1)
    assert wrong <= 30
    assert told > 200


def test_among_equal_models_a_difference_is_called_as_rarely_as_promised():
    """300 tables of six equal models: at most 5 % of them may hold a false difference, give or take
    chance."""
    rng = np.random.default_rng(0)
    pairs = list(combinations(range(6), 2))
    wrong = naive = 0
    for _ in range(300):
        images = rng.normal(size=(6, 80))
        weights = rng.multinomial(80, np.full(80, 1 / 80), size=200)  # (b, images)
        drawn = images @ weights.T / 80
        values = images.mean(1)
        wrong += min(adjusted_p_values(values, drawn, pairs)) <= 0.05
        naive += (
            min(
                adjusted_p_values(values[list(pair)], drawn[list(pair)], [(0, 1)])[0]
                for pair in pairs
            )
            <= 0.05
        )
    assert wrong <= 30
    assert naive > 60  # without adjustment it happens in every third table


def test_a_dozen_models_can_differ_although_replicates_are_few():
    """Holm's p-values could not go below 66 / 201 here."""
    rng = np.random.default_rng(1)
    values = np.arange(12.0)
    drawn = values[:, None] + rng.normal(scale=0.05, size=(12, 200))
    assert max(adjusted_p_values(values, drawn, list(combinations(range(12), 2)))) <= 0.05


def test_an_adjusted_p_value_is_never_below_that_of_the_comparison_alone():
    rng = np.random.default_rng(2)
    values = rng.normal(size=5)
    drawn = values[:, None] + rng.normal(size=(5, 100))
    pairs = list(combinations(range(5), 2))
    for pair, p_value in zip(pairs, adjusted_p_values(values, drawn, pairs), strict=True):
        alone = adjusted_p_values(values[list(pair)], drawn[list(pair)], [(0, 1)])[0]
        assert p_value >= alone
        assert p_value == pytest.approx(min(p_value, 1))


def test_p_values_do_not_depend_on_how_many_pairs_are_held_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(0)
    values = rng.uniform(0, 1, 9)
    drawn = values[:, None] + rng.normal(0, 0.1, (9, 60))
    pairs = list(combinations(range(9), 2))
    whole = adjusted_p_values(values, drawn, pairs)
    for at_once in (1, 5, 36, 50):
        monkeypatch.setattr(ranks, "AT_ONCE", at_once)
        assert adjusted_p_values(values, drawn, pairs) == whole


def test_a_thousand_models_have_their_places_in_a_moment() -> None:
    """Each is told from all but its twenty neighbours on either side, and from some of those."""
    rng = np.random.default_rng(0)
    count = 1000
    pairs = np.column_stack(np.triu_indices(count, 1))
    apart = pairs[:, 1] - pairs[:, 0]
    differ = pairs[(apart > 20) | (rng.uniform(size=len(pairs)) < 0.5)]
    found = places(np.arange(count, 0.0, -1), differ)
    assert all(first <= at + 1 <= last for at, (first, last) in enumerate(found))
    assert all(last - first <= 40 for first, last in found)
