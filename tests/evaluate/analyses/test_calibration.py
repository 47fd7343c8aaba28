"""Calibration errors of scores that mean what they say, and of others."""

import pytest

from tests.evaluate.analyses.reported import reported


def test_scores_that_mean_what_they_say_have_no_calibration_error() -> None:
    grid = [[120.0 * column, 0, 120.0 * column + 100, 100] for column in range(10)]
    boxes = {"image": [1] * 8, "label": [0] * 8, "box": grid[:8]}
    honest = [(1, 0, 0.8, box) for box in grid]
    boastful = [(1, 0, 1.0, box) for box in grid]
    errors = []
    for found in (honest, boastful):
        analyses = reported(found, boxes).analyses
        assert analyses is not None
        assert analyses.calibration is not None
        assert analyses.calibration.d_ece == pytest.approx(
            analyses.calibration.la_ece
        )  # every overlap is perfect
        errors.append(analyses.calibration.d_ece)
    assert errors == [pytest.approx(0, abs=1e-12), pytest.approx(0.2)]


def test_scores_beyond_0_and_1_have_no_calibration() -> None:
    analyses = reported([(1, 0, 3.0, [0, 0, 100, 100])]).analyses
    assert analyses is not None
    assert analyses.calibration is None
