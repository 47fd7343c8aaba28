"""Batches: each check finds the toy that keeps every promise but its own, and
variants that are wrong where random weights and small images hide it."""

from __future__ import annotations

import pytest
from torch import Tensor

from tests.testing.conformance.broken_promises import Broken, failing, is_found
from tests.testing.conformance.faulty_toys import mixed_with_white, overriding, single
from tests.testing.conformance.wrong_toys import MixedUpBeyondEight
from zoo.testing import Toy

BROKEN: dict[str, Broken] = {
    "batch_of_one_equals_single": single(
        lambda source: isinstance(source, Tensor) and source.is_contiguous()
    ),
    "neighbours_change_nothing": overriding("forward", mixed_with_white),
    "order_kept": overriding(
        "decode", lambda self, ours, *given: ours(*given)[:: -1 if len(given[1]) == 4 else 1]
    ),
}
VARIANTS: dict[str, tuple[str, type[Toy]]] = {
    "batches of more than eight": ("large_batches_change_nothing", MixedUpBeyondEight),
}


@pytest.mark.parametrize("check", list(BROKEN))
def test_a_detector_that_breaks_one_promise_fails_that_check_alone(check: str) -> None:
    failed = failing(BROKEN[check])
    assert set(failed) == {check}, failed
    assert failed[check].reason


@pytest.mark.parametrize("variant", list(VARIANTS))
def test_a_wrong_variant_is_found_by_its_check(variant: str) -> None:
    assert is_found(*VARIANTS[variant])
