"""A report travels as JSON, keeps its provenance, and is read as a table."""

import json
from pathlib import Path

import pytest

from tests.evaluate.real_reports import real_evaluator
from zoo.errors import DataError, UsageError
from zoo.evaluate import Report


@pytest.fixture(scope="module")
def report(shared: Path) -> Report:
    return real_evaluator(shared).compute(resamples=100)


def test_a_class_that_there_is_not_is_told_the_nearest(report: Report) -> None:
    with pytest.raises(DataError, match=r"'persn'(.|\n)*and 68 more(.|\n)*Did you mean 'person'\?"):
        report.per_class["persn"]
    with pytest.raises(DataError, match="A report has no 3"):
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


def test_analyses_are_shown_on_a_screen_and_say_where_the_rest_is(report: Report) -> None:
    assert report.analyses is not None
    confusion, calibration = report.analyses.confusion, report.analyses.calibration
    assert confusion is not None
    assert calibration is not None
    shown = repr(report.analyses)
    assert len(shown) < 800
    assert f"{len(confusion.cells)} pairs; all in .cells" in shown
    assert f"{len(calibration.bins)} bins; all in .bins" in shown
    assert f"lrp={report.analyses.lrp:.3f}" in shown


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


@pytest.mark.parametrize("facts", [None, ["x"], {"a": 1}, {1: "a"}], ids=repr)
def test_facts_are_text(facts: object, report: Report) -> None:
    with pytest.raises(UsageError, match="Facts are a mapping of text to text"):
        report.with_provenance(facts)  # type: ignore[arg-type]  # that is what is tested
