"""Class layers: each check finds the toy that keeps every
promise but its own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.testing.conformance.broken_promises import Broken, failing
from tests.testing.conformance.faulty_toys import overriding

BROKEN: dict[str, Broken] = {
    "class_rows_are_its_own": overriding(
        "class_layers",
        lambda self, ours: [replace(ours()[0], channels=self.label_space.channels[::-1])],
    ),
    "weights_serve_any_prompt": overriding("class_layers", lambda self, ours: []),
}
ALSO = {  # what nothing can break alone
    "class_rows_are_its_own": ["loss_teaches_the_named_class"],
}


@pytest.mark.parametrize("check", list(BROKEN))
def test_a_detector_that_breaks_one_promise_fails_that_check_alone(check: str) -> None:
    failed = failing(BROKEN[check])
    assert set(failed) == {check, *ALSO.get(check, ())}, failed
    assert failed[check].reason
