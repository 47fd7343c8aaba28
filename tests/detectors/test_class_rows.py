"""The rows of a class layer: found where its detector says, and a wrong word about them is
explained."""

import pytest
import torch

from zoo import LabelSpace
from zoo.contract import ClassLayer
from zoo.detectors.class_rows import by_channel, submodule
from zoo.errors import ContractError
from zoo.testing import Toy

TOY = Toy(LabelSpace.custom(["red", "green", "blue"]))
LAYER = ClassLayer("kind", channels=(0, 1, 2))


def test_rows_lie_by_block_channel_and_row_of_the_channel() -> None:
    tensor = torch.arange(24.0).view(12, 2)  # two anchors, three channels, two rows each
    rows = by_channel(tensor, ClassLayer("kind", channels=(0, 1, 2), outer=2, inner=2), TOY)
    assert rows.shape == (2, 3, 2, 2)
    assert rows[1, 0, 1].tolist() == tensor[7].tolist()


def test_a_layer_of_another_size_is_an_error_and_a_forgotten_background_is_guessed() -> None:
    with pytest.raises(ContractError, match="says 1 x 3 x 1, and there are 4") as said:
        by_channel(torch.zeros(4), LAYER, TOY)
    assert said.value.fix.endswith(
        "a background channel before the classes is channels=(-1, *label_space.channels), "
        "background=0."
    )
    with pytest.raises(ContractError) as said:
        by_channel(torch.zeros(5), LAYER, TOY)
    assert said.value.fix == "Correct class_layers in its plugin."


def test_a_layer_that_is_none_is_an_error() -> None:
    assert submodule(TOY, LAYER) is TOY.kind
    with pytest.raises(ContractError, match="names 'kinds', and it has no such layer"):
        submodule(TOY, ClassLayer("kinds", channels=(0, 1, 2)))
