"""Suppression: each check finds the toy that keeps every promise but its own, and
variants that are wrong where random weights and small images hide it."""

from __future__ import annotations

import pytest

from tests.testing.conformance.broken_promises import Broken, failing, is_found
from tests.testing.conformance.faulty_toys import settled
from tests.testing.conformance.wrong_toys import (
    capped,
    decoding,
    first_before_suppression,
    suppressing,
)
from zoo.testing import Toy

BROKEN: dict[str, Broken] = {
    "iou_obeyed": settled(iou=1.0),
}
ALSO = {  # what nothing can break alone
    "iou_obeyed": ["iou_is_the_callers"],
}
VARIANTS: dict[str, tuple[str, type[Toy]]] = {
    "suppression across classes": ("only_overlaps_suppressed", suppressing(classes=False)),
    "an IoU of its own": ("iou_obeyed", suppressing(iou=lambda _: 0.5)),
    "an IoU of its own at most": (
        "iou_is_the_callers",
        suppressing(iou=lambda given: min(given, 0.5)),
    ),
    "an IoU of its own at least": (
        "iou_is_the_callers",
        suppressing(iou=lambda given: max(given, 0.5)),
    ),
    "a max_boxes of its own at most": ("max_boxes_is_the_callers", capped(max_boxes=10)),
    "two boxes before suppression": ("many_boxes_returned", suppressing(top=2)),
    "max_boxes before suppression": ("best_of_what_is_kept", decoding(first_before_suppression)),
}


@pytest.mark.parametrize("check", list(BROKEN))
def test_a_detector_that_breaks_one_promise_fails_that_check_alone(check: str) -> None:
    failed = failing(BROKEN[check])
    assert set(failed) == {check, *ALSO.get(check, ())}, failed
    assert failed[check].reason


@pytest.mark.parametrize("variant", list(VARIANTS))
def test_a_wrong_variant_is_found_by_its_check(variant: str) -> None:
    assert is_found(*VARIANTS[variant])
