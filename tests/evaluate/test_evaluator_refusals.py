"""What an evaluator refuses, and which image and record its errors name."""

import numpy as np
import pytest

from zoo.errors import DataError, UsageError
from zoo.evaluate import EdgeCasePolicy, Evaluator, GroundTruth
from zoo.labels import LabelSpace

SPACE = LabelSpace.custom(("cat", "dog", "bird"))


def test_an_unknown_image_and_a_wrong_count_are_refused(truth, found) -> None:
    with pytest.raises(DataError, match="Image 5 is not in"):
        Evaluator(truth).update([5], [found[0]])
    with pytest.raises(DataError, match="Image 'a' is not in"):
        Evaluator(truth).update(["a"], [found[0]])
    with pytest.raises(DataError, match=r"of 2 images.*\n.*has 1 item\."):
        Evaluator(truth).update([0, 7], [found[0]])
    with pytest.raises(DataError, match="how many of its rows are real"):
        Evaluator(truth).update(
            [0],
            {"boxes": np.zeros((1, 3, 4)), "scores": np.zeros((1, 3)), "labels": np.zeros((1, 3))},
        )


def test_a_format_of_boxes_that_there_is_not_is_refused(truth, found) -> None:
    for box_format in ("xwyh", "cxcywh", None):
        with pytest.raises(UsageError, match="'box_format' is 'xyxy' or 'xywh'"):
            Evaluator(truth).update([0], [found[0]], box_format=box_format)
        with pytest.raises(UsageError, match="'box_format' is 'xyxy' or 'xywh'"):
            GroundTruth.of(
                [1],
                {"image": [1], "label": [0], "box": [[0, 0, 1, 1]]},
                label_space=SPACE,
                box_format=box_format,
            )


def test_areas_that_a_file_does_not_have_are_refused_where_the_policy_says_so() -> None:
    truth = GroundTruth.of(
        [1], {"image": [1], "label": [0], "box": [[0, 0, 1, 1]]}, label_space=SPACE, no_area=1
    )
    Evaluator(truth)
    with pytest.raises(DataError, match="1 of its 1 annotation has no area"):
        Evaluator(truth, policy=EdgeCasePolicy.pycocotools())
