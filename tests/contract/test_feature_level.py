"""The contract between parts."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from zoo.contract import FeatureLevel, LevelRequirements, levels_of
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


PYRAMID = (FeatureLevel(128, 8), FeatureLevel(256, 16), FeatureLevel(512, 32))
EQUAL = (FeatureLevel(64, 8), FeatureLevel(64, 16), FeatureLevel(64, 32))

levels = st.lists(
    st.builds(FeatureLevel, st.integers(1, 512), st.sampled_from([4, 8, 16, 32])),
    min_size=1,
    max_size=4,
).map(tuple)


@given(levels)
def test_no_need_takes_every_pyramid(pyramid: tuple[FeatureLevel, ...]) -> None:
    LevelRequirements().check(pyramid, part="any")


@pytest.mark.parametrize(
    ("needs", "pyramid", "case"),
    [
        (
            LevelRequirements(equal_channels=True),
            PYRAMID,
            "the same number of channels in every map, and these have 128, 256 and 512.",
        ),
        (
            LevelRequirements(channels_multiple=48),
            EQUAL,
            "a multiple of 48 channels, and these have 64.",
        ),
        (
            LevelRequirements(doubling=True),
            PYRAMID[::2],
            "strides that double from map to map, and these are 8 and 32.",
        ),
        (LevelRequirements(fewest=4), PYRAMID, "at least 4 maps, and there are 3."),
        (LevelRequirements(fewest=2, most=2), PYRAMID, "exactly 2 maps, and there are 3."),
        (LevelRequirements(most=2), PYRAMID, "at most 2 maps, and there are 3."),
        (LevelRequirements(fewest=2), PYRAMID[:1], "at least 2 maps, and there is 1."),
        (LevelRequirements(fewest=2, most=3), PYRAMID[:1], "2 to 3 maps, and there is 1."),
    ],
)
def test_an_unmet_need_says_what_is_needed_and_what_is_there(
    needs: LevelRequirements, pyramid: tuple[FeatureLevel, ...], case: str
) -> None:
    with pytest.raises(ContractError) as caught:
        needs.check(pyramid, part="thing")
    assert caught.value.case == f"It needs {case}"


def test_the_message_names_the_part_and_what_it_was_given() -> None:
    with pytest.raises(
        ContractError, match=r"^thing was given 128 channels at stride 8, 256 at 16, 512 at 32\."
    ):
        LevelRequirements(equal_channels=True).check(PYRAMID, part="thing")


def test_met_needs_are_silent() -> None:
    LevelRequirements(
        fewest=3, most=3, equal_channels=True, channels_multiple=32, doubling=True
    ).check(EQUAL, part="thing")
