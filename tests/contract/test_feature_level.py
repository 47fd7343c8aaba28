"""The contract between parts."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest
from torch import nn

from zoo.contract import FeatureLevel, levels_of
from zoo.errors import ContractError


class Part(nn.Module):
    def __init__(self, levels: object) -> None:
        super().__init__()
        self.levels = levels


def test_levels_are_equal_by_what_they_say_and_frozen() -> None:
    assert FeatureLevel(64, 8) == FeatureLevel(channels=64, stride=8)
    with pytest.raises(FrozenInstanceError):
        FeatureLevel(64, 8).stride = 4  # type: ignore[misc]


def test_a_part_says_its_levels() -> None:
    levels = (FeatureLevel(64, 8), FeatureLevel(128, 16))
    assert levels_of(Part(levels), name="mine/part") is levels


@pytest.mark.parametrize("levels", [None, (), [FeatureLevel(64, 8)], ((64, 8),), 3])
def test_a_part_that_says_something_else_is_named(levels: object) -> None:
    with pytest.raises(ContractError, match=r"The part 'mine/part'(.|\n)*Part\.levels is"):
        levels_of(Part(levels), name="mine/part")


def test_a_part_that_says_nothing_is_named() -> None:
    with pytest.raises(ContractError, match=r"Identity\.levels is None"):
        levels_of(nn.Identity(), name="mine/part")
