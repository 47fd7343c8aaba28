"""Tables of annotated boxes: the first record that can't be is named, with what is wrong."""

from typing import Any

import numpy as np
import pytest

from zoo.data import GroundTruth
from zoo.data.box_tables import check_corners, to_xywh, with_defaults
from zoo.errors import DataError

TABLE: dict[str, Any] = {
    "image": [7, 3, 7],
    "label": [1, 0, 0],
    "box": [[0, 0, 4, 4], [1, 1, 2, 2], [5, 5, 9, 6]],
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"iscrowd": [0, 0, 1]}, "Call it 'crowd'"),
        ({"crowd": [0, 2, 0]}, r"Record \[1\] of column 'crowd' is 2, not True or False"),
        ({"crowd": [0, 0, 0.5]}, r"Record \[2\] of column 'crowd' is 0\.5"),
        ({"label": [1, 0, 2]}, "a label outside the label space"),
        ({"label": [1, 0, 2**40]}, "a label outside the label space"),
        ({"label": [1.0, 0.0, 0.5]}, r"Record \[2\] of column 'label' is 0\.5, not a whole number"),
        ({"image": [7, 3, 8]}, "Image 8 is not in"),
        (
            {"box": [[0, 0, 4, 4], [1, 1, 2, 2], [5, 5, 4, 6]]},
            r"1 of 3 boxes ends before it begins, first record \[2\] of image 7: "
            r".*\n.*box_format='xywh'",
        ),
        (
            {"box": [[0, 0, 4, 4], [1, 1, 2, 2], [5, 5, np.nan, 6]]},
            r"Annotation 3 of image 7, record \[2\], has a coordinate that is not finite",
        ),
        ({"area": [1, -3, 1]}, r"Annotation 2 of image 3, record \[1\], has an area"),
        ({"id": [5, 6, 5]}, "Annotation id 5 is there twice"),
        ({"box": [[0, 0, 4, 4]]}, r"Column 'box' is \(1, 4\)"),
        ({"crowd": [0]}, r"Column 'crowd' is \(1,\)"),
    ],
)
def test_what_can_not_be_is_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        GroundTruth.of([3, 7], {**TABLE, **change}, label_space=["cat", "dog"])


def test_a_column_that_is_missing_is_named() -> None:
    with pytest.raises(DataError, match="no column label"):
        GroundTruth.of([3, 7], {"image": [3], "box": [[0, 0, 1, 1]]}, label_space=["cat"])


def test_corners_become_sizes_and_sizes_stay() -> None:
    boxes = np.array([[1, 2, 5, 9]])
    assert to_xywh(boxes, "xyxy").tolist() == [[1, 2, 4, 7]]
    assert to_xywh(boxes, "xywh").tolist() == [[1, 2, 5, 9]]
    assert boxes.tolist() == [[1, 2, 5, 9]]


def test_sizes_in_the_wrong_order_are_no_mistake_and_corners_are() -> None:
    table = {"image": np.array([4]), "box": np.array([[5.0, 5, 4, 6]])}
    check_corners(table, "xywh", "street")
    with pytest.raises(DataError, match=r"street was read(.|\n)*image 4(.|\n)*box_format='xywh'"):
        check_corners(table, "xyxy", "street")


def test_what_is_not_given_has_a_default() -> None:
    boxes = np.array([[0.0, 0, 2, 3], [0, 0, 4, 5]])
    table, unknown = with_defaults({"label": np.array([1.0, 0.0])}, boxes, "street")
    assert table["label"].tolist() == [1, 0]
    assert table["area"].tolist() == [6, 20]
    assert table["crowd"].tolist() == [0, 0]
    assert table["id"].tolist() == [1, 2]
    assert unknown == 0
    table, unknown = with_defaults(
        {"label": np.array([0, 0]), "area": np.array([-1.0, 7])}, boxes, "street"
    )
    assert (table["area"].tolist(), unknown) == ([6, 7], 1)
