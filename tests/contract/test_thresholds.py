"""Thresholds are filled in, and in range."""

import pytest

from zoo.contract import Thresholds
from zoo.errors import UsageError


@pytest.mark.parametrize(
    ("change", "fix"),
    [
        ({"score": 1.5}, "score=0.5"),
        ({"score": True}, "score=0.5"),
        ({"iou": None}, "iou=0.5"),
        ({"iou": float("nan")}, "iou=0.5"),
        ({"max_boxes": 0}, "max_boxes=100"),
        ({"max_boxes": 2.0}, "max_boxes=100"),
    ],
)
def test_a_threshold_out_of_range_is_refused_with_one_that_is_not(
    change: dict[str, object], fix: str
) -> None:
    with pytest.raises(UsageError, match=rf"Thresholds\((.|\n)*Write for example {fix}\."):
        Thresholds(**({"score": 0.3, "iou": 0.5, "max_boxes": 100} | change))  # type: ignore[arg-type]
