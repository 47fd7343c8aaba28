"""Thresholds: each check finds the toy that keeps every promise but its own, and
variants that are wrong where random weights and small images hide it."""

from __future__ import annotations

import pytest

from tests.testing.conformance.broken_promises import Broken, failing, is_found
from tests.testing.conformance.faulty_toys import equipped, settled
from tests.testing.conformance.wrong_toys import capped
from zoo.detectors import Protocol
from zoo.testing import Toy

BROKEN: dict[str, Broken] = {
    "settings_of_its_own": equipped(
        lambda toy: setattr(toy, "defaults", Protocol(score=0.05, iou=0.5, max_boxes=10))
    ),
    "score_floor_obeyed": settled(score=0.0),
    "max_boxes_obeyed": settled(max_boxes=10),
}
ALSO = {  # what nothing can break alone
    "settings_of_its_own": ["thresholds_are_filled"],
    "max_boxes_obeyed": ["max_boxes_is_the_callers"],
}
VARIANTS: dict[str, tuple[str, type[Toy]]] = {
    "no score over a half is asked for": ("score_floor_obeyed", capped(score=0.5)),
}


@pytest.mark.parametrize("check", list(BROKEN))
def test_a_detector_that_breaks_one_promise_fails_that_check_alone(check: str) -> None:
    failed = failing(BROKEN[check])
    assert set(failed) == {check, *ALSO.get(check, ())}, failed
    assert failed[check].reason


@pytest.mark.parametrize("variant", list(VARIANTS))
def test_a_wrong_variant_is_found_by_its_check(variant: str) -> None:
    assert is_found(*VARIANTS[variant])
