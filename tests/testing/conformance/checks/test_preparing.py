"""Preprocessing: each check finds the toy that keeps every promise but its own, and
variants that are wrong where random weights and small images hide it."""

from __future__ import annotations

import pytest
from msgspec import structs

from tests.testing.conformance.broken_promises import CARD, Broken, card, failing, is_found
from tests.testing.conformance.faulty_preprocess import Doubled, preprocessing, rounded
from tests.testing.conformance.faulty_toys import overriding
from tests.testing.conformance.wrong_toys import preparing
from zoo.testing import Toy

BROKEN: dict[str, Broken] = {
    "input_is_ready": Doubled,
    "input_size_kept": overriding(
        "input_size",
        lambda self, ours, height, width: (height, width) if height == 33 else (32, 32),
    ),
    "places_lead_back": preprocessing(rounded),
    "prepared_as_declared": card(input=structs.replace(CARD.input, mean=[0.4] * 3)),
    "resized_as_declared": card(input=structs.replace(CARD.input, antialias=True)),
}
ALSO = {  # what nothing can break alone
    "prepared_as_declared": ["resized_as_declared"],
}
VARIANTS: dict[str, tuple[str, type[Toy]]] = {
    "shifted images over 600 pixels": (
        "places_point_at_the_pixels",
        preparing(lambda image: image.roll(50, 2) if image.shape[2] > 600 else image),
    ),
    "exchanged axes": (
        "places_point_at_the_pixels",
        preparing(lambda image: image.transpose(1, 2).reshape(image.shape)),
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
