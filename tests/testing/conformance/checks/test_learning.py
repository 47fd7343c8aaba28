"""Learning: each check finds the toy that keeps every promise but its own, and
variants that are wrong where random weights and small images hide it."""

from __future__ import annotations

import pytest

from tests.testing.conformance.broken_promises import Broken, failing, is_found
from tests.testing.conformance.faulty_toys import half_a_cell_off, mirrored, overriding
from tests.testing.conformance.wrong_toys import losing
from zoo.detectors import Target
from zoo.testing import Toy

BROKEN: dict[str, Broken] = {
    "loss_leads_to_the_truth": overriding("loss", half_a_cell_off),
    "loss_teaches_the_named_class": overriding("loss", mirrored),
}
ALSO = {  # what nothing can break alone
    "loss_teaches_the_named_class": ["loss_leads_to_the_truth"],
}
VARIANTS: dict[str, tuple[str, type[Toy]]] = {
    "a class in the middle": (
        "loss_teaches_the_named_class",
        losing(
            lambda targets: [
                Target(one.boxes[one.labels != 1], one.labels[one.labels != 1]) for one in targets
            ]
        ),
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
