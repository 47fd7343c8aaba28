"""Ranks are groups of models whose difference is not significant, with all comparisons of a table
taken together."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.leaderboard import rank, ranks
from zoo.leaderboard.ranks import adjusted, groups


def test_a_clearly_better_model_has_a_rank_of_its_own(report_of):
    ranking = rank([report_of(0.95, 1), report_of(0.5, 2), report_of(0.5, 3)])
    assert ranking.ranks == ((1,), (2,), (2,))
    first = ranking.pairs[0]
    assert (first.a, first.b) == (0, 1)
    assert first.difference < 0
    assert first.interval.high < 0
    assert first.p_value < 0.05


def test_a_model_and_itself_share_a_rank(report_of):
    ranking = rank([report_of(0.8, 0), report_of(0.8, 0)])
    assert ranking.ranks == ((1,), (1,))
    assert ranking.pairs[0].p_value == 1


def test_a_model_between_two_that_differ_is_in_both_groups():
    assert groups([3, 2, 1], {(0, 2)}) == [(0, 1), (1, 2)]


def test_a_report_without_resamplings_has_no_rank(report_of):
    one = replace(report_of(0.9, 1), resamplings=None)
    assert rank([one, report_of(0.5, 2), report_of(0.5, 3)]).ranks == ((), (1,), (1,))
    assert rank([one]).ranks == ((),)


def test_one_model_is_first():
    assert groups([0.5], set()) == [(0,)]


@st.composite
def tables(draw):
    count = draw(st.integers(1, 7))
    values = draw(st.lists(st.floats(0, 1), min_size=count, max_size=count))
    pairs = list(combinations(range(count), 2))
    return values, set(draw(st.lists(st.sampled_from(pairs), unique=True))) if pairs else set()


@given(tables())
def test_two_models_share_a_group_exactly_where_they_do_not_differ(table):
    values, differ = table
    found = groups(values, differ)
    for a, b in combinations(range(len(values)), 2):
        assert any({a, b} <= set(one) for one in found) == ((a, b) not in differ)
    assert {at for one in found for at in one} == set(range(len(values)))
    assert all(not set(one) < set(other) for one in found for other in found)


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
        wrong += min(adjusted(values, drawn, pairs)) <= 0.05
        naive += (
            min(adjusted(values[list(pair)], drawn[list(pair)], [(0, 1)])[0] for pair in pairs)
            <= 0.05
        )
    assert wrong <= 30
    assert naive > 60  # without adjustment it happens in every third table


def test_a_dozen_models_can_differ_although_replicates_are_few():
    """Holm's p-values could not go below 66 / 201 here."""
    rng = np.random.default_rng(1)
    values = np.arange(12.0)
    drawn = values[:, None] + rng.normal(scale=0.05, size=(12, 200))
    assert max(adjusted(values, drawn, list(combinations(range(12), 2)))) <= 0.05


def test_an_adjusted_p_value_is_never_below_that_of_the_comparison_alone():
    rng = np.random.default_rng(2)
    values = rng.normal(size=5)
    drawn = values[:, None] + rng.normal(size=(5, 100))
    pairs = list(combinations(range(5), 2))
    for pair, p_value in zip(pairs, adjusted(values, drawn, pairs), strict=True):
        alone = adjusted(values[list(pair)], drawn[list(pair)], [(0, 1)])[0]
        assert p_value >= alone
        assert p_value == pytest.approx(min(p_value, 1))


def test_p_values_do_not_depend_on_how_many_pairs_are_held_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(0)
    values = rng.uniform(0, 1, 9)
    drawn = values[:, None] + rng.normal(0, 0.1, (9, 60))
    pairs = list(combinations(range(9), 2))
    whole = adjusted(values, drawn, pairs)
    for at_once in (1, 5, 36, 50):
        monkeypatch.setattr(ranks, "AT_ONCE", at_once)
        assert adjusted(values, drawn, pairs) == whole


def test_hundreds_of_models_are_grouped_in_a_moment() -> None:
    """Each differs from all but its 20 neighbours."""
    models = 500
    differ = {(a, b) for a in range(models) for b in range(a + 20, models)}
    made = groups([float(models - at) for at in range(models)], differ)
    assert made == [tuple(range(at, at + 20)) for at in range(models - 19)]
