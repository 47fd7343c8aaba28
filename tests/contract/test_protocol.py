"""Thresholds are in range; a protocol is every setting that moves a number, with a fingerprint."""

import json
from dataclasses import replace

import pytest

from zoo.contract import Thresholds
from zoo.contract.protocol import CANDIDATES
from zoo.detectors import Protocol
from zoo.errors import NameNotFound, UsageError


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


def test_the_named_ones_say_their_name_and_others_are_custom() -> None:
    assert Protocol.named("uniform").name == "uniform"
    assert Protocol.named("native") == Protocol()
    assert Protocol(score=0.2).name == "custom"


def test_a_name_that_there_is_not_says_what_there_is() -> None:
    with pytest.raises(NameNotFound, match="uniform and native"):
        Protocol.named("fair")


def test_every_setting_moves_the_fingerprint() -> None:
    plain = Protocol.named("uniform")
    others = {
        "score": 0.02,
        "iou": 0.6,
        "max_boxes": 300,
        "nms": "all",
        "precision": "bfloat16",
        "exif": "ignore",
        "wrapper": "sliced 640 overlap 0.2",
        "engine": "onnxruntime",
        "prompts": "an image of a {}",
    }
    changed = [Protocol(**{**vars(plain), name: value}) for name, value in others.items()]
    assert len({one.sha256 for one in (plain, *changed)}) == len(others) + 1
    named = {name for name in others if name not in ("wrapper", "engine", "prompts")}
    assert set(json.loads(plain.to_json())) == {*named, "resize"}


def test_what_is_not_wrapped_keeps_the_fingerprint_it_had_before_there_were_wrappers() -> None:
    assert Protocol.named("uniform").sha256[:16] == "8115f3d609e543ac"
    assert Protocol.named("native").sha256[:16] == "dc56e003687f1ada"
    assert json.loads(Protocol(engine="onnxruntime").to_json())["engine"] == "onnxruntime"


def test_open_thresholds_are_filled_from_the_family_and_the_rest_stays() -> None:
    defaults = Thresholds(score=0.05, iou=0.5, max_boxes=100)
    protocol = Protocol(iou=0.6, exif="ignore")
    assert protocol.thresholds(defaults) == Thresholds(score=0.05, iou=0.6, max_boxes=100)
    filled = Protocol(score=0.05, iou=0.6, max_boxes=100, exif="ignore")
    assert protocol.filled(defaults) == filled


@pytest.mark.parametrize(
    "wrong",
    [
        {"score": 1.5},
        {"iou": -0.1},
        {"max_boxes": 0},
        {"nms": "none"},
        {"precision": "int8"},
        {"engine": " "},
    ],
)
def test_a_setting_out_of_range_is_refused_by_name(wrong: dict) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Protocol(**wrong)


def test_decoding_keeps_more_than_is_wanted_where_other_classes_suppress_afterwards() -> None:
    defaults = Thresholds(score=0.3, iou=0.5, max_boxes=100)
    assert Protocol().decoding(defaults) == defaults
    assert Protocol(nms="all").decoding(defaults) == replace(defaults, max_boxes=CANDIDATES)
    many = Protocol(nms="all", max_boxes=CANDIDATES + 1)
    assert many.decoding(defaults).max_boxes == CANDIDATES + 1


def test_suppressing_all_boxes_without_an_overlap_is_refused() -> None:
    defaults = Thresholds(score=0.3, iou=1.0, max_boxes=100)
    with pytest.raises(UsageError, match=r"nms=\"all\", iou=0\.65"):
        Protocol(nms="all").filled(defaults)
    assert Protocol(nms="all", iou=1.0).filled(defaults).iou == 1
    assert Protocol().filled(defaults).iou == 1
