"""What detecting leaves behind: each check finds the toy that keeps every
promise but its own."""

from __future__ import annotations

import pytest

from tests.testing.conformance.broken_promises import Broken, failing
from tests.testing.conformance.faulty_preprocess import preprocessing, single_precision
from tests.testing.conformance.faulty_toys import Forgetful, equipped, register
from zoo.testing import Toy

BROKEN: dict[str, Broken] = {
    "state_through_safetensors": equipped(lambda toy: setattr(toy, "twin", toy.kind)),
    "deep_copy": register(type("Uncopied", (Toy,), {"__deepcopy__": lambda self, memo: self})),
    "pickle": equipped(lambda toy: setattr(toy, "act", lambda value: value)),
    "float64": preprocessing(single_precision),
    "threads": Forgetful,
}


@pytest.mark.parametrize("check", list(BROKEN))
def test_a_detector_that_breaks_one_promise_fails_that_check_alone(check: str) -> None:
    failed = failing(BROKEN[check])
    assert set(failed) == {check}, failed
    assert failed[check].reason
