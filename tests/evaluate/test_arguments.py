"""What an evaluator is made with and asked for: what can't be is refused before any work."""

import numpy as np
import pytest

from zoo.errors import UsageError
from zoo.evaluate import CocoSettings, EdgeCasePolicy, Evaluator
from zoo.evaluate.arguments import check_evaluator, check_image_ids, check_resampling


@pytest.mark.parametrize("image_ids", ["a.jpg", 7, np.int64(7)])
def test_one_id_is_no_list_of_ids(truth, found, image_ids) -> None:
    with pytest.raises(UsageError, match=r"Pass \["):
        Evaluator(truth).update(image_ids, [found[0]])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"policy": "pycocotools"}, "'policy' takes EdgeCasePolicy, not a str"),
        ({"settings": {"ious": [0.5]}}, "'settings' takes CocoSettings, not a dict"),
        ({"backend": "kernal"}, "Did you mean 'kernel'"),
        ({"threads": 0}, "threads=0"),
        ({"threads": -1}, "threads=-1"),
    ],
)
def test_options_that_there_are_not_are_refused(truth, options, message) -> None:
    with pytest.raises(UsageError, match=message):
        Evaluator(truth, **options)


@pytest.mark.parametrize(
    "wrong",
    [
        {"resamples": -1},
        {"resamples": 1},
        {"resamples": 1.5},
        {"resamples": True},
        {"seed": -1},
        {"level": 1},
    ],
)
def test_resamplings_that_can_not_be_are_refused(truth, found, wrong) -> None:
    evaluator = Evaluator(truth)
    evaluator.update(truth.image_ids, [found[one] for one in truth.image_ids.tolist()])
    with pytest.raises(UsageError, match=f"{next(iter(wrong))}="):
        evaluator.compute(**wrong)


def test_what_can_be_passes(truth) -> None:
    check_evaluator(truth, CocoSettings(), EdgeCasePolicy(), np.int64(2))
    check_evaluator(truth, None, None, None)
    check_resampling(np.int64(1000), 0, level=0.5)
    check_resampling(0, 0)
    for ids in ([1], (), {"a"}, np.array([1, 2]), iter("ab")):
        check_image_ids(ids)


@pytest.mark.parametrize("dataset", [None, "instances.json", 5])
def test_ground_truth_is_needed(dataset) -> None:
    with pytest.raises(UsageError, match=r"'dataset' takes GroundTruth(.|\n)*`Dataset\.truth`"):
        check_evaluator(dataset, None, None, None)


@pytest.mark.parametrize("level", [0, 1, 95, True, float("nan"), "0.95", None])
def test_a_level_lies_between_0_and_1(level) -> None:
    with pytest.raises(UsageError, match=r"level=(.|\n)*Write for example level=0\.95"):
        check_resampling(100, 0, level)
