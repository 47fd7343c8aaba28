"""The best threshold, held against all thresholds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.evaluate.analyses.operating_point import best_point

RANKED = st.lists(
    st.tuples(st.sampled_from([0.1, 0.3, 0.5, 0.5, 0.7]), st.booleans(), st.floats(0.5, 1.0)),
    max_size=12,
)


@given(ranked=RANKED, lost=st.integers(0, 4))
def test_the_operating_point_is_the_best_of_all_thresholds(ranked, lost) -> None:
    ranked = sorted(ranked, key=lambda one: -one[0])
    scores, true = np.array([one[0] for one in ranked]), np.array([one[1] for one in ranked], bool)
    positives = int(true.sum()) + lost
    point = best_point(scores, true, positives)
    if not positives or not len(scores):
        assert point is None
        return
    assert point is not None
    by_hand = {
        score: 2 * true[scores >= score].sum() / ((scores >= score).sum() + positives)
        for score in sorted(set(scores.tolist()), reverse=True)
    }
    assert point.f1 == pytest.approx(max(by_hand.values()))
    assert by_hand[point.score] == pytest.approx(point.f1)
    assert point.precision == pytest.approx(true[scores >= point.score].mean())
    assert point.recall == pytest.approx(true[scores >= point.score].sum() / positives)
