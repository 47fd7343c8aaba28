"""What a detector answers: each check finds the toy that keeps every promise but its own, and
variants that are wrong where random weights and small images hide it."""

from __future__ import annotations

import pytest
import torch

from tests.testing.conformance.broken_promises import Broken, failing, is_found
from tests.testing.conformance.faulty_toys import (
    cross_fifth,
    nan_in_black,
    outside_at_45,
    overriding,
    row,
    spoiling,
    unknown_label,
    unscaled,
)
from tests.testing.conformance.wrong_toys import decoding, moved, smaller_when_large
from zoo.testing import Toy

BROKEN: dict[str, Broken] = {
    "one_result_per_image": overriding("decode", lambda self, ours, *given: tuple(ours(*given))),
    "sees_something": overriding("one", lambda self, ours, *given: ours(*given)[:0]),
    "best_first": spoiling("scores", lambda scores: torch.cat([scores[:2], scores[2:].flip(0)])),
    "scores_are_probabilities": spoiling("scores", row(0, 1.5)),
    "finite_everywhere": overriding("decode", nan_in_black),
    "boxes_inside_the_image": overriding("one", outside_at_45),
    "boxes_follow_the_image": overriding("one", unscaled),
    "corners_in_order": spoiling("boxes", cross_fifth),
    "labels_in_range": overriding("one", unknown_label),
}
ALSO = {  # what nothing can break alone
    "sees_something": ["loss_leads_to_the_truth", "many_boxes_returned"],
    "best_first": ["only_overlaps_suppressed"],
    "boxes_follow_the_image": ["loss_leads_to_the_truth"],
    "corners_in_order": ["only_overlaps_suppressed", "max_boxes_is_the_callers"],
    "labels_in_range": ["only_overlaps_suppressed", "max_boxes_is_the_callers"],
}
VARIANTS: dict[str, tuple[str, type[Toy]]] = {
    "smaller boxes in images over 600 pixels": (
        "boxes_follow_the_image",
        decoding(smaller_when_large),
    ),
    "whole pixels": (
        "boxes_between_pixels",
        decoding(lambda self, ours, batch, rules: [moved(one, torch.round) for one in ours(rules)]),
    ),
}


@pytest.mark.parametrize("check", list(BROKEN))
def test_a_detector_that_breaks_one_promise_fails_that_check_alone(check: str) -> None:
    failed = failing(BROKEN[check])
    assert set(failed) == {check, *ALSO.get(check, ())}, failed
    assert failed[check].reason


@pytest.mark.parametrize("variant", list(VARIANTS))
def test_a_wrong_variant_is_found_by_its_check(variant: str) -> None:
    assert is_found(*VARIANTS[variant])
