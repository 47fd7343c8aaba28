"""Copies, pickles and files of a detector: each check finds the toy that keeps every
promise but its own."""

from __future__ import annotations

from functools import partial

import pytest

from tests.testing.conformance.broken_promises import Broken, failing
from tests.testing.conformance.faulty_preprocess import (
    Altered,
    OneSize,
    masked,
    preprocessing,
    with_network,
)
from tests.testing.conformance.faulty_toys import equipped

BROKEN: dict[str, Broken] = {
    "preprocess_needs_no_network": equipped(
        lambda toy: setattr(toy, "preprocess", Altered(call=partial(with_network, toy)))
    ),
    "preprocess_at_any_size": equipped(lambda toy: setattr(toy, "preprocess", OneSize())),
    "batch_moves_as_a_whole": preprocessing(masked),
}


@pytest.mark.parametrize("check", list(BROKEN))
def test_a_detector_that_breaks_one_promise_fails_that_check_alone(check: str) -> None:
    failed = failing(BROKEN[check])
    assert set(failed) == {check}, failed
    assert failed[check].reason
