"""The numbers of a report that are shares, and the steps to each."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.evaluate.real_reports import real_evaluator
from zoo.evaluate import Report
from zoo.evaluate.diagnostics.shares import shares


@pytest.fixture(scope="module")
def report(shared: Path) -> Report:
    return real_evaluator(shared).compute(resamples=3)


def test_every_share_of_an_evaluator_lies_between_0_and_1(report: Report) -> None:
    known = [value for _, value in shares(report) if value is not None]
    assert len(known) > 1000
    assert all(0 <= value <= 1 for value in known)


def test_the_steps_lead_to_the_number_in_the_file(report: Report) -> None:
    document = json.loads(report.to_json())
    for steps, value in shares(report):
        found: Any = document
        for step in steps:
            found = found[step]
        assert found == value, steps


def test_numbers_of_every_part_are_among_them(report: Report) -> None:
    steps = {".".join(map(str, one)) for one, _ in shares(report)}
    assert {
        "numbers.AP50",
        "curves.AP.100",
        "per_class.person.recall",
        "per_class.person.operating.f1",
        "per_class.person.lrp.error",
        "analyses.lrp",
        "analyses.mistakes.kinds.class.cost",
        "analyses.calibration.bins.0.precision",
        "resamplings.numbers.AP.2",
    } <= steps


def test_what_a_report_has_not_is_left_out(report: Report) -> None:
    bare = replace(report, analyses=None, resamplings=None, per_class={})
    assert {one[0] for one, _ in shares(bare)} == {"numbers", "curves"}
