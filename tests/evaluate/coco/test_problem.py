"""Ground truth prepared for matching: which boxes count in which range, and at which thresholds."""

import numpy as np
import pytest

from zoo.data import GroundTruth
from zoo.errors import DataError
from zoo.evaluate import CocoSettings, EdgeCasePolicy
from zoo.evaluate.coco.problem import MatchingProblem


def truth(**columns: object) -> GroundTruth:
    """A small, a medium and a large box, and a crowd, in two images and classes."""
    boxes = {
        "image": [1, 1, 2, 2],
        "label": [0, 0, 1, 1],
        "box": [[0, 0, 10, 10], [0, 0, 50, 50], [0, 0, 200, 200], [0, 0, 9, 9]],
        "crowd": [0, 0, 0, 1],
        "id": [0, 1, 2, 3],
    }
    return GroundTruth.of([1, 2], boxes | columns, label_space=["cat", "dog"])


def test_a_box_counts_in_the_ranges_of_its_area_and_a_crowd_in_none() -> None:
    problem = MatchingProblem.of(truth(), CocoSettings(), EdgeCasePolicy())
    # bits: all, small, medium, large
    assert problem.ignore.tolist() == [0b1100, 0b1010, 0b0110, 0b1111]
    assert problem.positives(np.array([True, True])).tolist() == [[2, 1], [1, 0], [1, 0], [0, 1]]
    assert problem.positives(np.array([False, True])).tolist() == [[0, 1], [0, 0], [0, 0], [0, 1]]


def test_each_value_of_an_attribute_is_one_more_range() -> None:
    dark = truth(dark=["no", "yes", "no", "no"])
    problem = MatchingProblem.of(dark, CocoSettings(slices=("dark",)), EdgeCasePolicy())
    assert [area.name for area in problem.ranges[4:]] == ["dark=no", "dark=yes"]
    assert [bool(mask >> 5 & 1) for mask in problem.ignore] == [True, False, True, True]
    assert len(problem.lows) == len(problem.highs) == 6


def test_an_attribute_that_is_not_there_or_has_too_many_values_is_refused() -> None:
    with pytest.raises(DataError, match="have these attributes: none"):
        MatchingProblem.of(truth(), CocoSettings(slices=("dark",)), EdgeCasePolicy())
    boxes = {
        "image": [1] * 20,
        "label": [0] * 20,
        "box": [[0, 0, 1, 1]] * 20,
        "track": range(20),
    }
    many = GroundTruth.of([1], boxes, label_space=["cat"])
    with pytest.raises(DataError, match="that makes 24; a matching has room for 16"):
        MatchingProblem.of(many, CocoSettings(slices=("track",)), EdgeCasePolicy())


def test_annotation_0_is_a_box_unless_the_policy_is_pycocotools() -> None:
    ours = MatchingProblem.of(truth(), CocoSettings(), EdgeCasePolicy())
    theirs = MatchingProblem.of(truth(), CocoSettings(), EdgeCasePolicy.pycocotools())
    assert not ours.void.any()
    assert theirs.void.tolist() == [True, False, False, False]


@pytest.mark.parametrize(("ious", "count", "watched"), [((0.5, 1.0), 2, 0), ((0.75,), 2, 1)])
def test_the_analyses_threshold_is_always_among_them(
    ious: tuple[float, ...], count: int, watched: int
) -> None:
    problem = MatchingProblem.of(truth(), CocoSettings(ious=ious), EdgeCasePolicy())
    assert (len(problem.thresholds), problem.analysed_threshold) == (count, watched)
    assert problem.thresholds[watched] == 0.5
    assert problem.thresholds.max() < 1  # an IoU of 1 reaches every threshold


def test_keys_ascend_by_image_and_class() -> None:
    problem = MatchingProblem.of(truth(), CocoSettings(), EdgeCasePolicy())
    assert problem.keys.tolist() == [0, 0, 3, 3]
