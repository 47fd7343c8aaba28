"""What an evaluator refuses, and which image and record its errors name."""

import numpy as np
import pytest
import torch

from zoo.detections import Detections
from zoo.errors import DataError, UsageError
from zoo.evaluate import EdgeCasePolicy, Evaluator, GroundTruth
from zoo.labels import LabelSpace

SPACE = LabelSpace.custom(("cat", "dog", "bird"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scores": torch.tensor([float("nan")])}, "image 7 .*\n.*score is nan"),
        ({"boxes": torch.tensor([[0.0, 0.0, float("inf"), 1.0]])}, "image 7 .*\n.*box is .*inf"),
        ({"labels": torch.tensor([3])}, "image 7 .*\n.*label is 3; there are 3 classes"),
        ({"labels": torch.tensor([-1])}, "image 7 .*\n.*label is -1"),
        ({"boxes": torch.zeros(1, 5)}, r"image 7 .*\n.*shapes \(1, 5\)"),
        ({"scores": torch.zeros(2)}, "image 7 .*\n.*shapes"),
        ({"labels": torch.tensor([0.5])}, "image 7 .*\n.*detection 0 is wrong: its label is 0.5"),
        ({"labels": torch.tensor([float("nan")])}, "image 7 .*\n.*its label is nan"),
        ({"labels": np.array(["dog"])}, "image 7 .*\n.*labels are <U3(.|\n)*label_space.label"),
        ({"labels": np.array([True])}, "image 7 .*\n.*labels are bool"),
        ({"scores": np.array(["high"])}, "image 7 .*\n.*scores are <U4"),
        (
            {"boxes": torch.tensor([[5.0, 0, 4, 1]])},
            "image 7 .*\n.*right or lower edge(.|\n)*box_format='xywh'",
        ),
        ({"scores": None}, "image 7 .*\n.*a dict without scores"),
    ],
    ids=[
        *(
            "nan score",
            "infinite box",
            "label too large",
            "negative label",
            "five numbers a box",
            "two scores",
        ),
        *(
            "half a label",
            "nan label",
            "text label",
            "bool label",
            "text score",
            "inverted box",
            "no scores",
        ),
    ],
)
def test_bad_detections_name_their_image(truth, change, message) -> None:
    good = {
        "boxes": torch.ones(1, 4),
        "scores": torch.ones(1),
        "labels": torch.ones(1, dtype=torch.int64),
    }
    evaluator = Evaluator(truth)
    with pytest.raises(DataError, match=message):
        evaluator.update([0, 7], [good, good | change])
    evaluator.update([0, 7], [good, good])  # nothing of the refused batch has stayed


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


def test_more_detections_than_images_are_refused_at_any_length(truth) -> None:
    many = GroundTruth.of(range(256), {"image": [], "label": [], "box": []}, label_space=SPACE)
    nothing = {"boxes": np.zeros((0, 4)), "scores": np.zeros(0), "labels": np.zeros(0, int)}
    with pytest.raises(DataError, match=r"of 256 images.*\n.*has 300 items\."):
        Evaluator(many).update(range(256), [nothing] * 300)


@pytest.mark.parametrize(
    "counts",
    [
        [[True, False], [True, True]],
        [True, False],
        [1, 4],
        [1, -1],
        [1, 1.5],
        [1, True, 1],
        [1],
        1,
        ["one", 1],
    ],
)
def test_counts_that_do_not_fit_are_refused(truth, counts) -> None:
    padded = {
        "boxes": np.ones((2, 3, 4)),
        "scores": np.ones((2, 3)),
        "labels": np.ones((2, 3), int),
        "counts": counts,
    }
    with pytest.raises(DataError, match="`counts`"):
        Evaluator(truth).update([0, 7], padded)


@pytest.mark.parametrize(
    ("detections", "message"),
    [
        (Detections.empty(SPACE), "a Detections, no list"),
        ("boxes", "a str, no list"),
        (iter([]), "no list"),
        ([5], "image 0 .*\n.*an int without boxes, scores, labels"),
        (
            [{"boxes": [[0, 0, 1, 1], [0, 0]], "scores": [1, 1], "labels": [0, 0]}],
            "image 0 .*\n.*several lengths",
        ),
        ({"boxes": [], "counts": []}, "no `scores`"),
    ],
)
def test_what_is_no_list_of_detections_is_refused(truth, detections, message) -> None:
    with pytest.raises(DataError, match=message):
        Evaluator(truth).update([0], detections)


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
