"""A card: each check finds the toy that keeps every
promise but its own."""

from __future__ import annotations

import pytest
from msgspec import structs

from tests.testing.conformance.broken_promises import CARD, CLAIM, Broken, card, failing
from zoo.registry.card import Licenses, Weights

BROKEN: dict[str, Broken] = {
    "card_says_what_it_is": card(summary=" "),
    "card_has_a_licence": card(licenses=Licenses(weights="MIT")),
    "card_has_labels": card(labels="coco79"),
    "card_declares_its_input": card(input=None),
    "card_counts_parameters": card(parameters=34),
    "claims_have_sources": card(
        weights={
            "v1": structs.replace(CARD.weights["v1"], claims=[structs.replace(CLAIM, source=" ")])
        }
    ),
    "weights_have_sources": card(weights={"v1": Weights(files={"model": []})}),
}


@pytest.mark.parametrize("check", list(BROKEN))
def test_a_detector_that_breaks_one_promise_fails_that_check_alone(check: str) -> None:
    failed = failing(BROKEN[check])
    assert set(failed) == {check}, failed
    assert failed[check].reason
