"""Detections in any form become flat arrays; what can't be one is named with its image."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch

from zoo.data import GroundTruth
from zoo.detections import Detections
from zoo.errors import DataError
from zoo.evaluate import Evaluator
from zoo.evaluate.coco.flatten import FlatDetections, flatten
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


def test_more_detections_than_images_are_refused_at_any_length(truth) -> None:
    many = GroundTruth.of(range(256), {"image": [], "label": [], "box": []}, label_space=SPACE)
    nothing = {"boxes": np.zeros((0, 4)), "scores": np.zeros(0), "labels": np.zeros(0, int)}
    with pytest.raises(DataError, match=r"of 256 images.*\n.*has 300 items\."):
        Evaluator(many).update(range(256), [nothing] * 300)


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


ONE = {"boxes": [[0, 0, 2, 2], [1, 1, 3, 4]], "scores": [0.9, 0.5], "labels": [0, 2]}


def flat(detections: Any, ids: Sequence[int] = (1, 2), box_format: Any = "xyxy") -> FlatDetections:
    return flatten(detections, image_ids=ids, label_space=SPACE, box_format=box_format)


def test_images_come_one_after_another() -> None:
    found = flat([ONE, {name: column[:1] for name, column in ONE.items()}])
    assert len(found) == 2
    assert found.starts.tolist() == [0, 2, 3]
    assert found.labels.tolist() == [0, 2, 0]
    assert found.xywh(np.array([1])).tolist() == [[1, 1, 2, 3]]
    assert found.part(1, 2).scores.tolist() == [0.9]


def test_images_without_detections_are_mentioned_or_left_out() -> None:
    empty = {"boxes": [], "scores": [], "labels": []}
    found = flat([empty, ONE, empty], ids=(1, 2, 3))
    assert found.starts.tolist() == [0, 0, 2, 2]
    assert found.only_images_with_detections().starts.tolist() == [0, 2]


def test_precision_stays_but_for_half_which_becomes_single() -> None:
    for dtype, expected in [("f2", "f4"), ("f4", "f4"), ("f8", "f8"), ("i4", "f8")]:
        arrays = {name: np.array(column) for name, column in ONE.items()}
        arrays["boxes"] = arrays["boxes"].astype(dtype)
        assert flat([arrays], ids=(1,)).boxes.dtype == np.dtype(expected)


def test_classes_meet_by_name_and_what_does_not_is_counted() -> None:
    theirs = LabelSpace.custom(("bird", "cow"))
    seen = Detections.of(
        [[0, 0, 2, 2], [0, 0, 3, 3]], [0.9, 0.8], [1, 0], label_space=theirs, size=(9, 9)
    )
    found = flat([seen], ids=(1,))
    assert found.labels.tolist() == [SPACE.names.index("bird")]
    assert found.unmet == {"cow": 1}
    assert found.scores.tolist() == pytest.approx([0.8])
    columns = found.starts, found.boxes, found.scores, np.array([0])
    again = flat(FlatDetections(*columns, {}, "xyxy", theirs), ids=(1,))
    assert again.labels.tolist() == [SPACE.names.index("bird")]
