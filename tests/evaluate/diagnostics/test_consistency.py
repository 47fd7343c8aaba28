"""A report agrees with itself, and shows where one number was changed."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.evaluate.real_reports import real_evaluator
from zoo.evaluate import Evaluator, GroundTruth, Report, coco_files
from zoo.evaluate.diagnostics.consistency import contradictions
from zoo.evaluate.intervals import Interval


def test_what_a_real_evaluator_says_never_contradicts_itself(shared: Path) -> None:
    evaluator = Evaluator(coco_files.read(shared / "coco_val2017_128/instances.json"))
    ids, found = coco_files.read_results(
        shared / "coco_val2017_128/yolox_nano_detections.json", evaluator.dataset
    )
    evaluator.update(ids, found, box_format="xywh")
    assert contradictions(evaluator.compute(resamples=50)) == []


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.floats(0, 1))
@settings(max_examples=40)
def test_what_any_detector_gives_never_contradicts_itself(
    seed: int, classes: int, share: float
) -> None:
    """Few images, rare classes, crowds, scores that are equal, boxes found or made up."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(0, 12))
    corner, side = rng.integers(0, 60, (count, 2)), rng.integers(1, 120, (count, 2))
    boxes = {
        "image": rng.integers(0, 4, count),
        "label": rng.integers(0, classes, count),
        "box": np.hstack([corner, corner + side]).astype(float),
        "crowd": rng.random(count) < 0.2,
    }
    truth = GroundTruth.of(
        range(4), boxes, label_space=[f"class {label}" for label in range(classes)]
    )
    evaluator = Evaluator(truth)
    for image in range(4):
        there = truth.xywh[truth.starts[image] : truth.starts[image + 1]]
        some = np.repeat(there, 2, axis=0)[rng.random(2 * len(there)) < share]
        near = some + rng.integers(-5, 6, some.shape) * [1, 1, 0, 0]
        labels = rng.integers(0, classes, len(near))
        scores = rng.integers(0, 5, len(near)) / 4
        evaluator.update(
            [image], [{"boxes": near, "scores": scores, "labels": labels}], box_format="xywh"
        )
    assert contradictions(evaluator.compute(resamples=20)) == []


@pytest.fixture(scope="module")
def report(shared: Path) -> Report:
    return real_evaluator(shared).compute(resamples=50)


def places(report: Report) -> set[str]:
    return {found.at for found in contradictions(report)}


@pytest.mark.parametrize(
    ("name", "value", "place"),
    [
        ("AP", 0.6, "numbers.AP"),
        ("AP75", 0.9, "numbers.AP75"),
        ("AR1", 0.9, "numbers.AR1"),
        ("APs", 0.9, "intervals.APs"),
    ],
)
def test_a_changed_number_is_seen(report: Report, name: str, value: float, place: str) -> None:
    found = places(replace(report, numbers={**report.numbers, name: value}))
    assert any(at.startswith((place, f"numbers.{name}")) for at in found), found


@pytest.mark.parametrize("value", [1.2, -0.1, float("nan"), float("inf")])
def test_a_number_that_is_no_share_is_said_alone(report: Report, value: float) -> None:
    [found] = contradictions(replace(report, numbers={**report.numbers, "AP": value}))
    assert found.at == "numbers.AP"
    assert "a share lies between 0 and 1" in found.case


def test_a_changed_interval_is_seen(report: Report) -> None:
    intervals = {**report.intervals, "AP": Interval(0.3, 0.4)}
    assert any(at.startswith("intervals") for at in places(replace(report, intervals=intervals)))


def test_a_changed_class_is_seen(report: Report) -> None:
    person = report.per_class["person"]
    for parts in ({"ap": 0.9}, {"boxes": person.boxes + 1}, {"recall": 0.999}):
        per_class: Any = {**report.per_class, "person": replace(person, **parts)}
        assert places(replace(report, per_class=per_class)), parts


def test_a_changed_curve_is_seen(report: Report) -> None:
    curves = {**report.curves, "AP50": (1.0,) * 101}
    assert any("AP50" in at for at in places(replace(report, curves=curves)))
