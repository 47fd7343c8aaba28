"""Training: each check finds the toy that keeps every promise but its own, and
variants that are wrong where random weights and small images hide it."""

from __future__ import annotations

import pytest

from tests.testing.conformance.broken_promises import Broken, failing, is_found
from tests.testing.conformance.faulty_toys import (
    Detached,
    all_empty,
    clamps,
    counts_only,
    leaves_a_trace,
    leaves_train_mode,
    moves_truth,
    nan_loss,
    overriding,
    some_empty,
)
from tests.testing.conformance.wrong_toys import Starving
from zoo.testing import Toy

BROKEN: dict[str, Broken] = {
    "loss_is_finite": overriding("loss", nan_loss),
    "gradients_reach_every_part": Detached,
    "image_without_objects_trains": overriding("loss", some_empty),
    "a_batch_without_objects_trains": overriding("loss", all_empty),
    "loss_follows_the_truth": overriding("loss", counts_only),
    "truth_untouched": overriding("loss", moves_truth),
    "unknown_label_refused": overriding("loss", clamps),
    "mode_restored": overriding("detect", leaves_train_mode),
    "detecting_leaves_no_trace": overriding("detect", leaves_a_trace),
}
ALSO = {  # what nothing can break alone
    "gradients_reach_every_part": ["loss_leads_to_the_truth"],
    "image_without_objects_trains": [
        "every_image_counts",
        "every_object_counts",
        "small_and_many_objects_train",
    ],
    "loss_follows_the_truth": [
        "loss_leads_to_the_truth",
        "every_image_counts",
        "small_and_many_objects_train",
    ],
}
VARIANTS: dict[str, tuple[str, type[Toy]]] = {
    "a part that is multiplied by 0": ("gradients_reach_every_part", Starving),
}


@pytest.mark.parametrize("check", list(BROKEN))
def test_a_detector_that_breaks_one_promise_fails_that_check_alone(check: str) -> None:
    failed = failing(BROKEN[check])
    assert set(failed) == {check, *ALSO.get(check, ())}, failed
    assert failed[check].reason


@pytest.mark.parametrize("variant", list(VARIANTS))
def test_a_wrong_variant_is_found_by_its_check(variant: str) -> None:
    assert is_found(*VARIANTS[variant])
