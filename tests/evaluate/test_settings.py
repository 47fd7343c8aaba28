"""Settings, protocols and policies: what there is not is refused, because a typo would switch off
what the field stands for."""

from typing import Any

import pytest

import zoo
from zoo.errors import UsageError, ZooError
from zoo.evaluate import Area, CocoSettings, EdgeCasePolicy


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"unseen_images": "leave-out"},
            r"EdgeCasePolicy\(unseen_images='leave-out'\)(.|\n)*Did you mean 'leave out'\?",
        ),
        ({"repeated_images": "refused"}, "Did you mean 'refuse'"),
        ({"annotation_zero": None}, "'annotation_zero' is 'match' or 'miss'"),
        ({"missing_area": True}, "'missing_area' is 'box' or 'refuse'"),
        ({"headline": "100"}, "'headline' is 'largest' or 'hundred'"),
        ({"iou_lookup": ["near"]}, "'iou_lookup' is"),
        ({"no_detections": "Zero"}, "Did you mean 'zero'"),
    ],
)
def test_a_policy_that_there_is_not_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        EdgeCasePolicy(**wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"ious": ()},
        {"ious": (0.0,)},
        {"ious": (1.5,)},
        {"ious": (float("nan"),)},
        {"ious": ("0.5",)},
        {"ious": 0.5},
        {"ious": tuple([0.5] * 16)},
        {"ious": (0.5, 0.75, 0.5)},
        {"recalls": 1},
        {"recalls": 10.5},
        {"recalls": True},
        {"detections": ()},
        {"detections": (0, 10)},
        {"detections": (10, 1)},
        {"detections": (1.5,)},
        {"detections": 100},
        {"detections": (70_000,)},
        {"areas": ()},
        {"areas": ("all",)},
        {"areas": (Area("all", "", 0, 1e10), Area("tiny", "", 0, 9))},
        {"areas": (Area("all", "", 0, 1e10), Area("tiny", "50", 0, 9))},
        {"slices": "occluded"},
        {"slices": (1,)},
    ],
    ids=str,
)
def test_a_setting_that_can_not_be_is_refused_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=rf"CocoSettings\({next(iter(wrong))}="):
        CocoSettings(**wrong)


@pytest.mark.parametrize("ends", [(5, 1), (-1, 5), (0, float("nan")), (0, "9"), (0, 1e31)])
def test_a_range_of_areas_goes_from_low_to_high(ends: tuple[Any, Any]) -> None:
    with pytest.raises(UsageError, match="goes from low to high"):
        Area("some", "x", *ends)


def test_lists_are_settings_too() -> None:
    assert CocoSettings(ious=[0.5, 0.75]) == CocoSettings(ious=(0.5, 0.75))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"nms": "classes"}, "Did you mean 'class'"),
        ({"precision": "fp16"}, "'float32', 'bfloat16' or 'float16'"),
        ({"exif": True}, "'exif' is 'apply' or 'ignore'"),
        ({"resize": "stretch"}, "'resize' is 'card'(.|\n)*Write 'card'"),
        ({"score": True}, r"Protocol\(score=True\)"),
        ({"iou": float("nan")}, r"Protocol\(iou=nan\)"),
        ({"max_boxes": True}, r"Protocol\(max_boxes=True\)"),
    ],
)
def test_a_protocol_that_there_is_not_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        zoo.Protocol(**wrong)


def test_a_mistyped_protocol_is_told_the_nearest() -> None:
    with pytest.raises(ZooError, match="Did you mean 'uniform'"):
        zoo.Protocol.named("unifrom")


def test_a_wrong_setting_is_a_value_error_as_python_has_it() -> None:
    with pytest.raises(ValueError, match="recalls"):
        CocoSettings(recalls=0)
