"""The forward pass: each check finds the toy that keeps every
promise but its own."""

from __future__ import annotations

import pytest

from tests.testing.conformance.broken_promises import Broken, failing
from tests.testing.conformance.faulty_toys import (
    Peeking,
    Sealing,
    leaves_thresholds_open,
    overriding,
    weighs_in_the_loss,
)

BROKEN: dict[str, Broken] = {
    "outputs_are_a_pytree": Sealing,
    "targets_are_for_training": Peeking,
    "parameters_are_used_in_forward": overriding("loss", weighs_in_the_loss),
    "thresholds_are_filled": overriding("predict", leaves_thresholds_open),
}


@pytest.mark.parametrize("check", list(BROKEN))
def test_a_detector_that_breaks_one_promise_fails_that_check_alone(check: str) -> None:
    failed = failing(BROKEN[check])
    assert set(failed) == {check}, failed
    assert failed[check].reason
