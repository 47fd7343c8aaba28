"""The forms of an image: each check finds the toy that keeps every promise but its own, and
variants that are wrong where random weights and small images hide it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.testing.conformance.broken_promises import Broken, failing, is_found
from tests.testing.conformance.faulty_preprocess import preprocessing, writes_on_pictures
from tests.testing.conformance.faulty_toys import after_seed_two, overriding, single
from tests.testing.conformance.wrong_toys import preparing
from zoo.testing import Toy

BROKEN: dict[str, Broken] = {
    "every_form_gives_the_same": single(lambda source: isinstance(source, Path)),
    "deterministic": overriding("forward", after_seed_two),
    "images_untouched": preprocessing(writes_on_pictures),
}
VARIANTS: dict[str, tuple[str, type[Toy]]] = {
    "gray images": (
        "gray_is_no_special_case",
        preparing(lambda image: image // 2 if bool((image == image[:1]).all()) else image),
    ),
}


@pytest.mark.parametrize("check", list(BROKEN))
def test_a_detector_that_breaks_one_promise_fails_that_check_alone(check: str) -> None:
    failed = failing(BROKEN[check])
    assert set(failed) == {check}, failed
    assert failed[check].reason


@pytest.mark.parametrize("variant", list(VARIANTS))
def test_a_wrong_variant_is_found_by_its_check(variant: str) -> None:
    assert is_found(*VARIANTS[variant])
