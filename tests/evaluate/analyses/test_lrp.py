"""Localisation recall precision, held against all thresholds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.evaluate.analyses.reported import reported
from zoo.evaluate.analyses.lrp import optimal

RANKED = st.lists(
    st.tuples(st.sampled_from([0.1, 0.3, 0.5, 0.5, 0.7]), st.booleans(), st.floats(0.5, 1.0)),
    max_size=12,
)


@given(ranked=RANKED, lost=st.integers(0, 4))
def test_optimal_lrp_is_the_least_over_all_thresholds(ranked, lost) -> None:
    ranked = sorted(ranked, key=lambda one: -one[0])
    scores, true = np.array([one[0] for one in ranked]), np.array([one[1] for one in ranked], bool)
    ious = np.array([one[2] for one in ranked], np.float32)
    positives = int(true.sum()) + lost
    got = optimal(scores, true, ious, positives)
    if not positives:
        assert got is None
        return
    assert got is not None
    by_hand = [1.0]
    for score in set(scores.tolist()):
        kept = scores >= score
        found, false = (kept & true).sum(), (kept & ~true).sum()
        place = ((1 - ious[kept & true].astype(float)) / 0.5).sum()
        by_hand.append((place + false + positives - found) / (found + false + positives - found))
    assert got.error == pytest.approx(min(by_hand))


def test_a_perfect_detector_has_no_lrp_error_and_one_that_finds_nothing_has_all() -> None:
    perfect = [
        (1, 0, 0.9, [0, 0, 100, 100]),
        (1, 1, 0.9, [200, 0, 300, 100]),
        (1, 0, 0.8, [400, 0, 500, 100]),
        (2, 1, 0.7, [0, 0, 100, 100]),
    ]
    for found, error in ((perfect, 0.0), ([], 1.0)):
        report = reported(found)  # type: ignore[arg-type]
        assert report.analyses is not None
        assert report.analyses.lrp == error
        assert report.per_class["cat"].lrp is not None
        assert report.per_class["cat"].lrp.error == error
