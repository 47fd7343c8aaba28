"""Analyses follow from their parts: each changed part is seen by the rule that it is of."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.evaluate.real_reports import real_evaluator
from zoo.evaluate import Report
from zoo.evaluate.diagnostics.analysis_rules import (
    calibration,
    confusion_rules,
    mistakes,
    operating_points,
)
from zoo.evaluate.diagnostics.contradiction import Contradiction
from zoo.evaluate.report import Analyses

RULES = (operating_points, mistakes, calibration, confusion_rules)


@pytest.fixture(scope="module")
def report(shared: Path) -> Report:
    return real_evaluator(shared).compute(resamples=2)


def with_analyses(report: Report, **parts: Any) -> Report:
    assert report.analyses is not None
    return replace(report, analyses=replace(report.analyses, **parts))


def found(rule: Callable[[Report], Iterator[Contradiction]], report: Report) -> list[str]:
    return [one.at for one in rule(report)]


def test_a_report_of_an_evaluator_breaks_no_rule(report: Report) -> None:
    assert [found(rule, report) for rule in RULES] == [[]] * len(RULES)


def test_a_report_without_analyses_breaks_no_rule(shared: Path) -> None:
    bare = replace(real_evaluator(shared).compute(resamples=0), analyses=None)
    assert [found(rule, bare) for rule in RULES[1:]] == [[]] * 3


def known(report: Report) -> Analyses:
    assert report.analyses is not None
    return report.analyses


def test_f1_follows_from_precision_and_recall(report: Report) -> None:
    point = known(report).operating
    assert point is not None
    for name in ("f1", "precision", "recall"):
        part = replace(point, **{name: getattr(point, name) * 0.9})
        assert "analyses.operating" in found(
            operating_points, with_analyses(report, operating=part)
        )


def test_lrp_follows_from_its_parts_and_classes(report: Report) -> None:
    assert found(operating_points, with_analyses(report, lrp=0.1)) == ["analyses.lrp"]
    person = report.per_class["person"]
    assert person.lrp is not None
    worse = replace(person, lrp=replace(person.lrp, location=(person.lrp.location or 0) + 0.1))
    places = found(
        operating_points, replace(report, per_class={**report.per_class, "person": worse})
    )
    assert "per_class['person'].lrp" in places


@pytest.mark.parametrize("kind", ["class", "duplicate", "missed"])
def test_mistakes_are_as_many_as_false_detections_and_missed_boxes(
    report: Report, kind: str
) -> None:
    kinds = known(report).mistakes.kinds
    more = {**kinds, kind: replace(kinds[kind], count=kinds[kind].count + 1000)}
    part = replace(known(report).mistakes, kinds=more)
    assert found(mistakes, with_analyses(report, mistakes=part)) == ["analyses.mistakes.kinds"]
    del more[kind]
    assert found(mistakes, with_analyses(report, mistakes=replace(part, kinds=more)))


def test_calibration_is_read_off_its_bins(report: Report) -> None:
    made = known(report).calibration
    assert made is not None
    part: Any = replace(made, d_ece=made.d_ece / 2)
    assert found(calibration, with_analyses(report, calibration=part)) == [
        "analyses.calibration.d_ece"
    ]
    first, *others = made.bins
    for bins in (
        (replace(first, high=0.5), *others),
        (replace(first, count=10**7), *others),
        (replace(first, score=0.9), *others),
        tuple(others),
    ):
        part = replace(made, bins=bins)
        assert found(calibration, with_analyses(report, calibration=part)) == [
            "analyses.calibration.bins"
        ]


def test_the_confusion_is_that_of_the_operating_point_and_of_all_boxes(report: Report) -> None:
    made = known(report).confusion
    assert made is not None
    part = replace(made, score=made.score / 2)
    assert found(confusion_rules, with_analyses(report, confusion=part)) == [
        "analyses.confusion.score"
    ]
    true, detected, count = made.cells[0]
    for cells in (
        made.cells[1:],
        (*made.cells, made.cells[0]),
        ((true, "unicorn", count), *made.cells[1:]),
        ((true, detected, 0), *made.cells[1:]),
    ):
        places = found(confusion_rules, with_analyses(report, confusion=replace(made, cells=cells)))
        assert "analyses.confusion.cells" in places
