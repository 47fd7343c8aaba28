"""Images of every shape: each check finds the toy that keeps every
promise but its own."""

from __future__ import annotations

from functools import partial

import pytest

from tests.testing.conformance.broken_promises import Broken, failing
from tests.testing.conformance.faulty_preprocess import preprocessing, refuse_gray, refuse_size
from tests.testing.conformance.faulty_toys import answers_the_empty, overriding

BROKEN: dict[str, Broken] = {
    "any_size": preprocessing(partial(refuse_size, size=(211, 97))),
    "one_pixel": preprocessing(partial(refuse_size, size=(1, 1))),
    "long_and_flat": preprocessing(partial(refuse_size, size=(240, 6))),
    "nothing_to_see": preprocessing(refuse_gray),
    "empty_image_refused": overriding("detect", answers_the_empty),
}


@pytest.mark.parametrize("check", list(BROKEN))
def test_a_detector_that_breaks_one_promise_fails_that_check_alone(check: str) -> None:
    failed = failing(BROKEN[check])
    assert set(failed) == {check}, failed
    assert failed[check].reason
