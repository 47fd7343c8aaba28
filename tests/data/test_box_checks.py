"""Boxes that can't be right."""

from pathlib import Path

from zoo.data import Dataset, GroundTruth, ImageRecord
from zoo.data.box_checks import fractional_images, outside_boxes, repeated_boxes


def some(boxes: list[list[float]], labels: list[int]) -> Dataset:
    table = {"image": [1] * len(boxes), "label": labels, "box": boxes}
    truth = GroundTruth.of([1, 2], table, label_space=["cat", "dog"])
    records = [ImageRecord(1, Path("a.jpg"), 20, 10), ImageRecord(2, Path("b.jpg"))]
    return Dataset("some", records, truth)


def test_a_box_is_outside_by_more_than_rounding() -> None:
    data = some([[0, 0, 20.5, 10], [0, 0, 20.6, 10], [-0.6, 0, 1, 1], [5, 5, 6, 11]], [0] * 4)
    assert outside_boxes(data).tolist() == [False, True, True, True]


def test_fractions_are_of_images_whose_boxes_all_are() -> None:
    assert fractional_images(some([[0, 0, 1, 1], [0.1, 0.2, 0.5, 0.5]], [0, 0])).tolist() == [
        True,
        False,
    ]
    assert fractional_images(some([[0, 0, 1, 1], [0, 0, 9, 9]], [0, 0])).tolist() == [False, False]


def test_the_first_of_equal_boxes_stays() -> None:
    twice, classes = repeated_boxes(some([[0, 0, 5, 5]] * 4 + [[0, 0, 5, 6]], [0, 1, 0, 1, 0]))
    assert twice.tolist() == [False, True, False, False, True]
    assert classes.tolist() == [False, False, False, True, False]
