"""Tables without the records that can't be."""

import numpy as np
import pytest

from zoo.data import GroundTruth
from zoo.data.finding import REPORTED, collecting
from zoo.errors import DataError


@pytest.mark.parametrize("box_format", ["xyxy", "xywh"])
def test_wrong_records_are_reported_left_out_or_corrected(box_format: str) -> None:
    boxes = np.array(
        [[0, 0, 1, 1], [9, 9, 4, 5], [0, 0, np.nan, 1], [0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 3, 3]]
    )
    if box_format == "xywh":
        boxes[:, 2:] -= boxes[:, :2]
    table = {
        "image": [7, 7, 7, 8, 7, 7],
        "label": [0, 1, 0, 0, 2, REPORTED],
        "box": boxes,
        "area": [-1, -5.0, 1, 1, 1, 1],
        "id": [3, 3, 4, 5, 6, 7],
    }
    with pytest.raises(DataError):
        GroundTruth.of([7], table, label_space=["cat", "dog"], box_format=box_format)  # type: ignore[arg-type]
    with collecting() as found:
        truth = GroundTruth.of([7], table, label_space=["cat", "dog"], box_format=box_format)  # type: ignore[arg-type]
    assert truth.boxes.tolist() == [[0, 0, 1, 1], [4, 5, 9, 9]]
    assert truth.areas.tolist() == [1, 20]
    assert len(set(truth.ids.tolist())) == 2
    assert {(one.check, one.image) for one in found} == {
        *(("inverted", "7"), ("not_finite", "7"), ("unknown_image", "8")),
        *(("unknown_class", "7"), ("annotation_id", "7")),
    }
