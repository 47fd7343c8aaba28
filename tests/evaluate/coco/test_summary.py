"""The headline numbers: which there are, what they are read at, and what is not defined."""

import numpy as np
import pytest

from zoo.data import GroundTruth
from zoo.evaluate import CocoSettings, EdgeCasePolicy, Evaluator
from zoo.evaluate.coco.problem import MatchingProblem
from zoo.evaluate.coco.summary import headline, headline_limits, summarise, threshold_at
from zoo.evaluate.settings import COCO_IOUS

OURS, THEIRS = EdgeCasePolicy(), EdgeCasePolicy.pycocotools()
TRUTH = GroundTruth.of(
    [1],
    {"image": [1], "label": [0], "box": [[0, 0, 10, 10]], "dark": ["yes"]},
    label_space=["cat", "dog"],
)


def names(settings: CocoSettings) -> list[str]:
    problem = MatchingProblem.of(TRUTH, settings, OURS)
    return [number.name for number in headline(problem, OURS)]


def test_the_twelve_numbers_of_coco_in_their_order() -> None:
    assert names(CocoSettings()) == [
        *("AP", "AP50", "AP75", "APs", "APm", "APl"),
        *("AR1", "AR10", "AR100", "ARs", "ARm", "ARl"),
    ]


def test_limits_and_slices_have_numbers_of_their_own() -> None:
    found = names(CocoSettings(detections=(5,), slices=("dark",)))
    assert {"AR5", "AP[dark=yes]", "AR[dark=yes]"} <= set(found)
    assert "AR100" not in found


@pytest.mark.parametrize(
    ("limits", "policy", "read_at"),
    [
        ((1, 10, 100), OURS, (100, 100)),
        ((1, 10, 100), THEIRS, (100, 100)),
        ((1, 10, 300), OURS, (300, 300)),
        ((1, 10, 300), THEIRS, (100, 300)),
        ((1, 10, 300, 500), THEIRS, (100, 300)),
        ((7,), THEIRS, (100, 7)),
    ],
)
def test_numbers_are_read_at_the_largest_limit_and_pycocotools_at_100(
    limits: tuple[int, ...], policy: EdgeCasePolicy, read_at: tuple[int, int]
) -> None:
    assert headline_limits(limits, policy) == read_at


def test_an_iou_is_found_though_it_is_stored_a_bit_below() -> None:
    assert threshold_at(COCO_IOUS, 0.9, OURS) == (8,)
    assert threshold_at(COCO_IOUS, 0.9, THEIRS) == ()
    assert threshold_at(COCO_IOUS, 0.5, THEIRS) == (0,)
    assert threshold_at(COCO_IOUS, 0.52, OURS) == ()


def test_what_no_box_or_threshold_defines_is_minus_1() -> None:
    settings = CocoSettings(ious=(0.75,))
    evaluator = Evaluator(TRUTH, settings=settings)
    found = {"boxes": np.array([[0.0, 0, 10, 10]]), "scores": np.array([0.5])}
    evaluator.update([1], [found | {"labels": np.array([0])}])
    sample = evaluator.matched_images()
    numbers = summarise(sample.curves, sample.plan, OURS)
    assert numbers["AP"] == numbers["AP75"] == pytest.approx(1)
    assert numbers["APs"] == pytest.approx(1)
    assert numbers["AP50"] == numbers["APm"] == numbers["ARl"] == -1
