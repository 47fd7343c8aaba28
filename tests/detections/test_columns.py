"""Boxes, scores and labels of any form become three tensors, best first."""

from typing import Any

import numpy as np
import pytest
import torch

from zoo.detections.columns import columns
from zoo.errors import LabelError
from zoo.labels import LabelSpace

SPACE = LabelSpace.custom(["cat", "dog"])
BOXES = [[0, 0, 1, 1], [2, 2, 3, 3], [4, 4, 5, 5]]


@pytest.mark.parametrize(
    ("boxes", "scores", "labels"),
    [
        (BOXES, [0.5, 0.9, 0.5], ["cat", "dog", "cat"]),
        (np.array(BOXES), np.array([0.5, 0.9, 0.5]), np.array(["cat", "dog", "cat"])),
        (torch.tensor(BOXES), torch.tensor([0.5, 0.9, 0.5]), [0, 1, 0]),
        (np.array(BOXES, np.float16), (0.5, 0.9, 0.5), np.array([0.0, 1.0, 0.0])),
    ],
)
def test_whatever_holds_the_numbers_gives_the_same_tensors(
    boxes: Any, scores: Any, labels: Any
) -> None:
    made = columns(boxes, scores, labels, SPACE)
    assert [column.dtype for column in made] == [torch.float32, torch.float32, torch.int64]
    # best first, ties in the order given
    assert made[0][:, 0].tolist() == [2, 0, 4]
    assert made[1].tolist() == pytest.approx([0.9, 0.5, 0.5])
    assert made[2].tolist() == [1, 0, 0]


def test_nothing_is_a_column_of_no_rows() -> None:
    boxes, scores, labels = columns([], [], [], SPACE)
    assert (boxes.shape, scores.shape, labels.shape) == ((0, 4), (0,), (0,))
    assert labels.dtype == torch.int64


def test_a_tensor_with_gradients_comes_without_them() -> None:
    scores = torch.tensor([0.5], requires_grad=True)
    assert not columns([BOXES[0]], scores, [0], SPACE)[1].requires_grad


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"scores": [0.5]}, ValueError, "of one length, got 3, 1 and 3"),
        ({"scores": 0.5}, TypeError, "scores must be a number a detection"),
        ({"scores": ["high"] * 3}, TypeError, "scores must be a number a detection"),
        ({"scores": [True] * 3}, TypeError, "scores must be"),
        ({"boxes": [[0, 0, 1, 1], [0]]}, TypeError, "boxes must be a row of four numbers"),
        ({"labels": [0.5, 0, 0]}, ValueError, "labels must be whole numbers or class names"),
        ({"labels": ["cat", "cow", "dog"]}, LabelError, "cow"),
    ],
)
def test_what_is_no_column_is_said(
    changes: dict[str, Any], error: type[Exception], message: str
) -> None:
    given = {"boxes": BOXES, "scores": [0.5] * 3, "labels": [0] * 3} | changes
    with pytest.raises(error, match=message):
        columns(**given, label_space=SPACE)
