"""From outcomes to a report: complete with resamples, and computed when it is read without."""

import copy
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from tests.evaluate.real_reports import real_evaluator
from zoo.errors import DataError
from zoo.evaluate import Evaluator, GroundTruth, Report
from zoo.evaluate.deferred import is_deferred


@pytest.fixture(scope="module")
def evaluator(shared: Path) -> Evaluator:
    return real_evaluator(shared)


@pytest.fixture(scope="module")
def report(evaluator: Evaluator) -> Report:
    return evaluator.compute(resamples=100)


def is_late(report: Report) -> bool:
    """Whether a report still has a part to compute."""
    return is_deferred(report, "per_class") or is_deferred(report, "analyses")


@pytest.mark.parametrize(
    "read",
    [
        lambda report: (report.per_class["person"], report.analyses),
        lambda report: report.to_json(),
        lambda report: pickle.dumps(report),
        lambda report: copy.deepcopy(report),
        lambda report: msgspec.json.encode({"wrapped": report}),
    ],
)
def test_without_resamples_classes_and_analyses_are_computed_when_they_are_first_read(
    evaluator: Evaluator, read: Callable[[Report], object]
) -> None:
    report = evaluator.compute(resamples=0).with_provenance({"model": "mine"})
    assert report.ap == 0.335996014212976
    assert is_late(report)
    read(report)
    assert not is_late(report)


def test_a_report_is_the_same_whenever_its_parts_are_computed(evaluator: Evaluator) -> None:
    early, late = evaluator.compute(resamples=0), evaluator.compute(resamples=0)
    early.to_json()
    for copied in (
        late,
        pickle.loads(pickle.dumps(late)),
        Report.from_json(late.to_json()),
        late.with_provenance({}),
    ):
        assert replace(copied, provenance=None) == early
    with pytest.raises(AttributeError, match="per_clas"):
        _ = late.per_clas  # type: ignore[attr-defined]


def test_with_resamples_a_report_is_complete(report: Report) -> None:
    assert not is_late(report)


def test_a_real_detector_s_report_has_its_numbers_classes_and_curves(report: Report) -> None:
    assert report.ap == report["AP"] == 0.335996014212976
    assert report.ap50 == 0.4936278294117364
    assert report.per_class["person"].boxes == 350
    assert report.per_class["person"].ap == pytest.approx(0.3733, abs=1e-4)
    known = [one.ap for one in report.per_class.values() if one.ap is not None]
    assert sum(known) / len(known) == pytest.approx(report.ap)
    assert sum(report.curves["AP50"]) / 101 == pytest.approx(report.ap50)
    with pytest.raises(DataError, match="there are AP, AP50"):
        report.interval("mAP")


def test_a_data_set_without_boxes_is_said_to_have_none() -> None:
    evaluator = Evaluator(
        GroundTruth.of([1], {"image": [], "label": [], "box": []}, label_space=["cat"], name="dark")
    )
    evaluator.update([1], [{"boxes": [[0, 0, 9, 9.0]], "scores": [0.5], "labels": [0]}])
    report = evaluator.compute(resamples=5)
    assert report.ap is None
    assert report.measured.notes == ("dark has no annotated box, so that no number is defined.",)
    assert "AP     –" in str(report)
    assert str(report).endswith(report.measured.notes[0])
