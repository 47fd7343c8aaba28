"""A report travels as JSON, keeps its provenance, and two of them can be compared where they were
measured alike."""

import copy
import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.errors import DataError, UsageError
from zoo.evaluate import CocoSettings, EdgeCasePolicy, Evaluator, GroundTruth, Report, compare
from zoo.evaluate.coco_files import read, read_results
from zoo.evaluate.intervals import difference


@pytest.fixture(scope="module")
def evaluator(shared: Path) -> Evaluator:
    made = Evaluator(read(shared / "coco_val2017_128/instances.json"))
    ids, found = read_results(shared / "coco_val2017_128/yolox_nano_detections.json", made.dataset)
    made.update(ids, found, box_format="xywh")
    return made


@pytest.fixture(scope="module")
def report(evaluator: Evaluator) -> Report:
    return evaluator.compute(resamples=100)


@pytest.fixture(scope="module")
def worse(shared: Path, evaluator: Evaluator) -> Report:
    """The same detector after its best detections in every image were lost."""
    made = Evaluator(evaluator.dataset)
    ids, found = read_results(shared / "coco_val2017_128/yolox_nano_detections.json", made.dataset)
    made.update(
        ids,
        [{column: values[2:] for column, values in one.items()} for one in found],
        box_format="xywh",
    )
    return made.compute(resamples=100)


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


def test_a_class_that_there_is_not_is_told_the_nearest(report: Report) -> None:
    with pytest.raises(DataError, match=r"'persn'(.|\n)*and 68 more(.|\n)*Did you mean 'person'\?"):
        report.per_class["persn"]
    with pytest.raises(DataError, match="3 of a report"):
        report.per_class[3]  # type: ignore[index]
    assert report.per_class.get("persn") is None
    assert "persn" not in report.per_class


def test_a_report_is_printed_as_a_short_table_and_shown_as_a_line(report: Report) -> None:
    named = report.with_provenance({"model": "yolox_nano"})
    title, first, *rest = str(named).splitlines()
    assert title == "yolox_nano on " + named.measured.data + ": 128 images, 898 boxes"
    assert first == f"AP     0.336  ({named.intervals['AP']})"
    assert len(rest) == 11
    assert repr(named) == f"Report(yolox_nano on {named.measured.data}, AP 0.336)"


def test_intervals_end_where_numbers_do() -> None:
    truth = GroundTruth.of(
        range(9),
        {"image": range(9), "label": [0] * 9, "box": [[0, 0, 9, 9]] * 9},
        label_space=["cat"],
    )
    evaluator = Evaluator(truth)
    seen = {"boxes": [[0, 0, 9, 9.0]], "scores": [0.5], "labels": [0]}
    wrong = {"boxes": [[50, 50, 59, 59.0]], "scores": [0.4], "labels": [0]}
    evaluator.update(range(9), [seen] * 8 + [wrong])
    report = evaluator.compute(resamples=200)
    for interval in [*report.intervals.values(), report.per_class["cat"].interval]:
        assert interval is not None
        assert 0 <= interval.low <= interval.high <= 1
    assert report.intervals["AP"].high == 1


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


def test_a_report_comes_back_from_json_as_it_was(report: Report, tmp_path: Path) -> None:
    named = report.with_provenance({"model": "yolox_nano", "hardware": "a test"})
    named.write(tmp_path / "report.json")
    assert Report.read(tmp_path / "report.json") == named
    content = json.loads((tmp_path / "report.json").read_text())
    assert content["numbers"]["AP"] == 0.335996014212976
    assert content["provenance"] == {"model": "yolox_nano", "hardware": "a test"}


def test_a_report_is_written_into_a_new_folder_and_not_where_it_can_not_be(
    report: Report, tmp_path: Path
) -> None:
    named = report.with_provenance({"model": "yolox_nano"})
    named.write(tmp_path / "new" / "folder" / "report.json")
    assert Report.read(tmp_path / "new" / "folder" / "report.json") == named
    with pytest.raises(DataError, match="Is a directory"):
        named.write(tmp_path / "new")


def test_a_choice_that_there_is_not_is_named_by_its_field(report: Report) -> None:
    content = json.loads(report.to_json())
    content["policy"]["unseen_images"] = "guess"
    with pytest.raises(
        DataError, match=r"\$\.policy\.unseen_images is 'guess', which is none of its choices\."
    ):
        Report.from_json(json.dumps(content))
    content = json.loads(report.to_json())
    content["settings"]["recalls"] = 1
    with pytest.raises(DataError, match=r"CocoSettings\(recalls=1\)"):
        Report.from_json(json.dumps(content))


def test_numbers_without_provenance_are_not_stored(report: Report, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="a number without provenance is not stored"):
        report.write(tmp_path / "report.json")
    assert not (tmp_path / "report.json").exists()


@pytest.mark.parametrize(
    "content", ["", "{}", "[1]", '{"numbers": {"AP": "high"}}', "[" * 100_000], ids=str
)
def test_a_broken_report_is_named(content: str, tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text(content)
    with pytest.raises(DataError, match=r"broken\.json was read"):
        Report.read(tmp_path / "broken.json")


def test_a_worse_model_is_found_worse_and_the_same_one_the_same(
    report: Report, worse: Report
) -> None:
    gap = compare(report, worse)["AP"]
    assert gap.difference < 0
    assert gap.interval.high < 0
    assert gap.p_value < 0.05
    none = compare(report, report)["AP50"]
    assert (none.difference, none.p_value) == (0, 1)


def test_what_was_not_measured_alike_is_not_compared(evaluator: Evaluator, report: Report) -> None:
    nothing = Evaluator(
        evaluator.dataset,
        settings=CocoSettings(detections=(10,)),
        policy=EdgeCasePolicy(unseen_images="empty"),
    )
    for what, one in {
        "seeds": evaluator.compute(resamples=100, seed=1),
        "numbers of resamplings": evaluator.compute(resamples=50),
        "holds no resamplings": evaluator.compute(resamples=0),
        "settings": nothing.compute(resamples=100),
    }.items():
        with pytest.raises(DataError, match=what):
            compare(report, one)
    with pytest.raises(DataError, match="difference in 'mAP'"):
        compare(report, report)["mAP"]


def test_a_report_of_other_annotations_than_it_was_measured_on_is_not_compared(
    report: Report,
) -> None:
    with pytest.raises(DataError, match=r"contradicts itself in 'provenance\.data_sha256'"):
        compare(report, report.with_provenance({"data_sha256": "0" * 64}))


@pytest.mark.parametrize("level", [95, 0, 1, -1, float("nan"), "x", None], ids=repr)
def test_a_level_that_can_t_be_is_refused(level: object, report: Report) -> None:
    with pytest.raises(UsageError, match="'level' lies between 0 and 1"):
        compare(report, report, level=level)  # type: ignore[arg-type]  # that is what is tested


@pytest.mark.parametrize("facts", [None, ["x"], {"a": 1}, {1: "a"}], ids=repr)
def test_facts_are_text(facts: object, report: Report) -> None:
    with pytest.raises(UsageError, match="Facts are a mapping of text to text"):
        report.with_provenance(facts)  # type: ignore[arg-type]  # that is what is tested


@pytest.mark.parametrize("other", [None, "report.json", 0.5], ids=repr)
def test_what_is_no_report_is_not_compared(other: object, report: Report) -> None:
    with pytest.raises(
        DataError, match=f"of type {type(other).__name__} where a zoo.evaluate.Report belongs"
    ):
        compare(report, other)  # type: ignore[arg-type]  # that is what is tested


def test_a_protocol_that_nobody_knows_is_said_and_another_one_refused(
    report: Report, worse: Report
) -> None:
    uniform, native = (
        report.with_provenance({"protocol_settings": f'{{"score": {score}}}'})
        for score in (0.01, 0.05)
    )
    assert compare(uniform, uniform).doubts == ()
    [doubt] = compare(uniform, worse).doubts
    assert doubt.startswith("The protocol of B is not known")
    with pytest.raises(DataError, match="Their protocols differ"):
        compare(uniform, native)


@given(
    st.floats(-0.3, 0.3),
    st.integers(2, 400),
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.8, 0.9, 0.95, 0.99]),
)
def test_an_interval_holds_0_exactly_where_the_p_value_is_above_its_level(
    gap: float, count: int, seed: int, level: float
) -> None:
    moved = np.random.default_rng(seed).normal(gap, 0.1, count).round(2)  # rounded: with ties
    found = difference((0.0, [0.0] * count), (gap, moved.tolist()), level=level)
    assert found is not None
    assert (found.interval.low <= 0 <= found.interval.high) == (found.p_value > 1 - level + 1e-12)
    assert found.interval.low <= gap <= found.interval.high


def _is_late(report: Report) -> bool:
    """Whether a report still has parts to compute."""
    return "per_class" not in vars(report)


@pytest.mark.parametrize(
    "read",
    [
        lambda report: report.per_class["person"],
        lambda report: report.analyses,
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
    assert _is_late(report)
    read(report)
    assert not _is_late(report)


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
    assert not _is_late(report)
