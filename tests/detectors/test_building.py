"""A card's architecture is built with the card's arguments, and a wrong one is named where it is written."""

from collections.abc import Callable
from pathlib import Path

import pytest

import zoo
from zoo.errors import CardError

WRONG = {
    "deepth: 3": ("deepth", "unexpected keyword argument 'deepth'"),
    "depth: banana": ("depth", "Expected float, got str: 'banana'"),
    "depth: true": ("depth", "Expected float, got bool"),
    "width: -1": ("width", "The width is a factor of at least"),
    "size: 100": ("size", "multiple of 32"),
    "backbone: banana": ("backbone", "banana"),
}


@pytest.mark.parametrize("written", WRONG)
def test_a_wrong_value_in_a_cards_arguments_is_named_with_file_line_and_field(
    written: str, user_cards: Callable[[str], Path]
) -> None:
    field, says = WRONG[written]
    file = user_cards(f"  odd:\n    architecture: yolox/yolox\n    labels: [a]\n    arguments:\n      {written}\n")
    with pytest.raises(CardError) as caught:
        zoo.load("odd", weights=False)
    assert str(file) in caught.value.asked
    assert f"Line 7, field 'cards.odd.arguments.{field}'" in caught.value.case
    assert says in caught.value.case


def test_arguments_of_a_users_card_that_a_builder_trips_over_are_the_cards_and_not_the_plugins_fault(
    user_cards: Callable[[str], Path],
) -> None:
    user_cards("  odd: {architecture: torchvision/ssd300_vgg16, labels: [a], arguments: {trainable_layers: 99}}\n")
    with pytest.raises(CardError, match=r"field 'cards\.odd\.arguments(.|\n)*trainable_layers"):
        zoo.load("odd", weights=False)
