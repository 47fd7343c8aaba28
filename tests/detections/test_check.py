"""What no `Detections` can hold is refused with the row and what to pass."""

import pytest
import torch
from torch import Tensor

from zoo.detections.check import check, check_boxes
from zoo.errors import LabelError
from zoo.labels import LabelSpace

SPACE = LabelSpace.custom(["cat", "dog"])


def checked(**changes: object) -> None:
    columns: dict[str, object] = {
        "boxes": torch.tensor([[0.0, 0, 2, 2], [1, 1, 1, 3]]),
        "scores": torch.tensor([0.9, 0.9]),
        "labels": torch.tensor([1, 0]),
        "label_space": SPACE,
    }
    check(**(columns | changes))  # type: ignore[arg-type]


def test_sound_columns_pass() -> None:
    checked()
    empty = {"boxes": torch.zeros(0, 4), "scores": torch.zeros(0)}
    checked(**empty, labels=torch.zeros(0, dtype=torch.int64))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"boxes": torch.zeros(3, 4)}, r"boxes must be \(2, 4\) to match 2 scores, got \(3, 4\)"),
        ({"labels": torch.zeros(2, 1, dtype=torch.int64)}, r"labels must be \(2,\)"),
        ({"scores": torch.zeros(2, dtype=torch.float64)}, "scores must be torch.float32"),
        ({"labels": torch.zeros(2, dtype=torch.int32)}, "labels must be torch.int64"),
        ({"scores": torch.tensor([0.5, 0.9])}, "scores must descend"),
        ({"scores": torch.tensor([0.5, float("nan")])}, "none be NaN"),
        ({"scores": torch.tensor([1.5, 0.9])}, r"\[0, 1\], got 0.9 to 1.5"),
        ({"scores": torch.tensor([0.5, -0.1])}, "got -0.1 to 0.5"),
    ],
)
def test_shapes_types_and_scores_are_checked(changes: dict[str, Tensor], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        checked(**changes)


def test_a_lone_score_that_is_not_a_number_is_seen() -> None:
    one = {"boxes": torch.zeros(1, 4), "labels": torch.zeros(1, dtype=torch.int64)}
    with pytest.raises(ValueError, match="scores must lie"):
        checked(**one, scores=torch.tensor([float("nan")]))


@pytest.mark.parametrize(
    "box", [[2.0, 0, 1, 1], [0, 2, 1, 1], [0, 0, float("inf"), 1], [float("nan"), 0, 1, 1]]
)
def test_the_first_wrong_box_is_shown(box: list[float]) -> None:
    with pytest.raises(ValueError, match=r"but box 1 is \["):
        check_boxes(torch.tensor([[0.0, 0, 1, 1], box, box]))


@pytest.mark.parametrize(("labels", "shown"), [([0, 2], 2), ([-1, 0], -1)])
def test_a_label_outside_the_space_is_named(labels: list[int], shown: int) -> None:
    with pytest.raises(LabelError, match=rf"Label {shown} is outside it: it has 2 classes, 0\.\.1"):
        checked(labels=torch.tensor(labels))


def test_other_things_than_tensors_and_spaces_are_refused() -> None:
    with pytest.raises(TypeError, match=r"scores must be a tensor, got a list"):
        checked(scores=[0.9, 0.9])
    with pytest.raises(TypeError, match="label_space must be a LabelSpace, got a list"):
        checked(label_space=["cat", "dog"])
