"""The mode in which findings are collected."""

import pytest

from zoo.data.finding import CHECKS, Finding, collecting, current_findings, report_or_raise
from zoo.errors import DataError


def test_errors_are_raised_unless_they_are_collected() -> None:
    error = DataError("It was read.", "Line 3 is wrong.", "Correct it.")
    with pytest.raises(DataError):
        report_or_raise("unreadable_annotations", error)
    with collecting() as found:
        report_or_raise("unreadable_annotations", error, "a.xml")
        assert current_findings() is found
    assert current_findings() is None
    assert found == [Finding("unreadable_annotations", "It was read. Line 3 is wrong.", "a.xml")]
    assert found[0].is_error
    assert {severity for severity, _ in CHECKS.values()} == {"error", "warning"}
