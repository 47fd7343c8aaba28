"""A machine that slows down, or that others use, is named."""

from __future__ import annotations

import re

import pytest

from zoo.timing.steadiness import Reference, Steadiness


def test_the_reference_takes_time() -> None:
    run = Reference.run()
    assert run.computed > 0
    assert 0 < run.seconds < 5


@pytest.mark.parametrize(
    ("runs", "says"),
    [
        ([(0.10, 0.10), (0.105, 0.105)], None),
        ([(0.10, 0.10), (0.13, 0.13)], r"took up to 1\.30 times its shortest time"),
        ([(0.10, 0.10), (0.10, 0.05)], r"computed in 50 % of its time"),
    ],
)
def test_what_was_not_steady_is_said(runs: list[tuple[float, float]], says: str | None) -> None:
    flaw = Steadiness.of([Reference(*run) for run in runs]).flaw
    assert (flaw is None) == (says is None)
    if says:
        assert flaw is not None
        assert re.search(says, flaw)
