"""Columns from lists, numpy, pandas and torch, and what other tools write for a number or for
nothing."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from zoo.data import GroundTruth
from zoo.errors import DataError
from zoo.evaluate import Evaluator

BOXES = [[0, 0, 60, 80], [20, 20, 50, 40], [10, 10, 90, 70]]


def truth(images: Any = ("a.jpg", "b.jpg"), **columns: Any) -> GroundTruth:
    table = {"image": ["a.jpg", "a.jpg", "b.jpg"], "label": [0, 1, 0], "box": BOXES}
    return GroundTruth.of(images, table | columns, label_space=["cat", "dog"])


FORMS = [
    {"image": pd.Series(["a.jpg", "a.jpg", "b.jpg"])},
    {"image": pd.Series(["a.jpg", "a.jpg", "b.jpg"], dtype=object)},
    {"image": pd.Series(["a.jpg", "a.jpg", "b.jpg"], dtype="string")},
    {"image": np.array(["a.jpg", "a.jpg", "b.jpg"], object)},
    {"label": pd.Series([0, 1, 0], dtype=object)},
    {"label": pd.Series([0, 1, 0], dtype="Int64")},
    {"label": [0.0, 1.0, 0.0]},
    {"label": torch.tensor([0, 1, 0])},
    {"box": pd.DataFrame(BOXES)},
    {"box": np.array(BOXES, object)},
    {"box": pd.Series(BOXES)},
    {"box": torch.tensor(BOXES, dtype=torch.float32, requires_grad=True)},
    {"box": [torch.tensor(box, dtype=torch.float32, requires_grad=True) for box in BOXES]},
    {"box": torch.tensor(BOXES).to(torch.bfloat16)},
    {"crowd": [False, False, False]},
    {"crowd": [0.0, 0.0, 0.0]},
    {"crowd": ["0", "0", "0"]},
    {"crowd": [-1, None, np.nan]},
    {"area": [-1, None, np.nan]},
    {"id": [1.0, 2.0, 3.0]},
    {"id": ["1", "2", "3"]},
    {"id": [None, -1, None]},
]


@pytest.mark.parametrize("columns", FORMS)
def test_whatever_holds_the_same_numbers_is_the_same_ground_truth(columns: dict[str, Any]) -> None:
    assert truth(**columns).sha256 == truth().sha256


@pytest.mark.parametrize(
    "images",
    [
        pd.Series(["a.jpg", "b.jpg"]),
        {"id": pd.Series(["a.jpg", "b.jpg"]), "weather": ["fog", "sun"]},
        pd.DataFrame({"id": ["a.jpg", "b.jpg"], "weather": ["fog", "sun"]}),
    ],
)
def test_images_may_be_a_column_or_a_frame(images: Any) -> None:
    assert truth(images).image_ids.tolist() == ["a.jpg", "b.jpg"]
    if "weather" in truth(images).image_attributes:
        assert truth(images).image_attributes["weather"].tolist() == ["fog", "sun"]


def test_unknown_areas_are_the_boxes_own_and_are_counted() -> None:
    made = truth(area=[100, -1, None])
    assert made.no_area == 2
    assert made.areas.tolist() == [100, 30 * 20, 80 * 60]


def test_a_number_and_its_text_are_one_image() -> None:
    numbers = truth([1, 2], image=["1", "1", "2"])
    assert numbers.images.tolist() == [0, 0, 1]
    text = truth(["1", "2"], image=[1, 1.0, 2])
    assert text.images.tolist() == [0, 0, 1]
    assert truth([1.0, 2.0], image=[1, 1, 2]).image_ids.tolist() == [1, 2]
    with pytest.raises(DataError, match="is not in the data set"):
        truth([1, 2], image=["01", "1", "2"])


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"label": ["cat", "dog", "cat"]},
            r"Record \[0\] of column 'label' is 'cat', not a whole number",
        ),
        ({"label": [0, 0.5, 1]}, r"Record \[1\] of column 'label' is 0\.5, not a whole number"),
        ({"crowd": [0, 2, 0]}, r"Record \[1\] of column 'crowd' is 2, not True or False"),
        ({"crowd": ["no", "yes", "no"]}, "column 'crowd'"),
        ({"area": ["1", "2", "3"]}, "column 'area' is '1', not a number"),
        ({"id": [1, 2, True]}, "Annotation id 1 is there twice"),
        ({"id": ["a", "b", "c"]}, r"Record \[0\] of column 'id'"),
        ({"box": [["a"] * 4] * 3}, "Its column 'box' is"),
        ({"image": [None, "a.jpg", "b.jpg"]}, "is not in the data set"),
    ],
)
def test_what_can_not_be_meant_is_named(columns: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        truth(**columns)


@pytest.mark.parametrize(
    "detections",
    [
        {
            "boxes": np.array(BOXES[2:], object),
            "scores": np.array([0.5], object),
            "labels": np.array([0], object),
        },
        {
            "boxes": pd.DataFrame(BOXES[2:]),
            "scores": pd.Series([0.5]),
            "labels": pd.Series([0], dtype="Int64"),
        },
        {
            "boxes": torch.tensor(BOXES[2:], dtype=torch.float32, requires_grad=True),
            "scores": [0.5],
            "labels": np.array([0]),
        },
        {
            "boxes": torch.tensor(BOXES[2:]).to(torch.bfloat16),
            "scores": np.array([0.5]),
            "labels": torch.tensor([0]),
        },
    ],
)
def test_detections_come_in_the_same_forms(detections: dict[str, Any]) -> None:
    evaluator = Evaluator(truth())
    nothing = {"boxes": np.zeros((0, 4)), "scores": np.zeros(0), "labels": np.zeros(0, int)}
    evaluator.update(["b.jpg", "a.jpg"], [detections, nothing])
    assert evaluator.numbers()["AR1"] == pytest.approx(0.25)
