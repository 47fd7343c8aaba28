"""Two reports are compared where they were measured alike."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.evaluate.real_reports import real_evaluator
from zoo.errors import DataError, UsageError
from zoo.evaluate import CocoSettings, EdgeCasePolicy, Evaluator, Report, compare
from zoo.evaluate.deferred import replace_lazily


@pytest.fixture(scope="module")
def evaluator(shared: Path) -> Evaluator:
    return real_evaluator(shared)


@pytest.fixture(scope="module")
def report(evaluator: Evaluator) -> Report:
    return evaluator.compute(resamples=100)


@pytest.fixture(scope="module")
def worse(shared: Path) -> Report:
    """The same detector after its best detections in every image were lost."""
    return real_evaluator(shared, lost=2).compute(resamples=100)


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


def test_other_data_is_named_and_its_hash_shortened(report: Report) -> None:
    measured = replace(report.measured, data="cells", sha256="1" * 64)
    other = replace_lazily(report, measured=measured)
    with pytest.raises(
        DataError, match=r"differ: .* \(sha256 \w{12}…\) and cells \(sha256 1{12}…\)"
    ):
        compare(report, other)
