"""The matching that the analyses are read off."""

import numpy as np
import pytest

from tests.evaluate.analyses.reported import EVERY_MISTAKE, reported
from zoo.evaluate.analyses.matches import Matches, last_of_equals


def test_an_analysis_that_was_not_kept_is_refused_with_the_way_to_keep_it() -> None:
    report = reported(EVERY_MISTAKE, analyses=False)
    assert report.analyses is None
    assert report.per_class["cat"].operating is None


def test_a_threshold_lies_after_the_last_of_equal_scores() -> None:
    assert last_of_equals(np.array([0.9, 0.5, 0.5, 0.1])).tolist() == [0, 2, 3]
    assert last_of_equals(np.array([0.5, 0.5])).tolist() == [1]
    assert last_of_equals(np.array([])).tolist() == []


def test_detections_of_a_class_come_best_first_without_those_on_crowds() -> None:
    matches = Matches(
        edges=np.array([0, 1, 4]),
        scores=np.array([0.9, 0.8, 0.7, 0.6]),
        labels=np.array([0, 1, 1, 1]),
        true=np.array([True, True, False, False]),
        counted=np.array([True, True, False, True]),
        boxes=np.full((4, 2), -1, np.int32),
        ious=np.array([[0.9, 0], [0.8, 0], [0.7, 0], [0.1, 0]], np.float32),
        positives=np.array([1, 1]),
        missed=np.zeros(2, bool),
        box_labels=np.array([0, 1], np.int32),
    )
    scores, true, ious = matches.of_class(1)
    assert scores.tolist() == [0.8, 0.6]
    assert true.tolist() == [True, False]
    assert ious.tolist() == pytest.approx([0.8, 0.1])
