"""What a part asks of a pyramid: said in a sentence when it is not so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.errors import ContractError
from zoo.parts import Level, Needs

PYRAMID = (Level(128, 8), Level(256, 16), Level(512, 32))
EQUAL = (Level(64, 8), Level(64, 16), Level(64, 32))

levels = st.lists(st.builds(Level, st.integers(1, 512), st.sampled_from([4, 8, 16, 32])), min_size=1, max_size=4).map(tuple)


@given(levels)
def test_no_need_takes_every_pyramid(pyramid: tuple[Level, ...]) -> None:
    Needs().check(pyramid, part="any")


@pytest.mark.parametrize(
    ("needs", "pyramid", "case"),
    [
        (Needs(equal_channels=True), PYRAMID, "the same number of channels in every map, and these have 128, 256 and 512."),
        (Needs(channels_multiple=48), EQUAL, "a multiple of 48 channels, and these have 64."),
        (Needs(doubling=True), PYRAMID[::2], "strides that double from map to map, and these are 8 and 32."),
        (Needs(fewest=4), PYRAMID, "at least 4 maps, and there are 3."),
        (Needs(fewest=2, most=2), PYRAMID, "exactly 2 maps, and there are 3."),
        (Needs(most=2), PYRAMID, "at most 2 maps, and there are 3."),
        (Needs(fewest=2), PYRAMID[:1], "at least 2 maps, and there is 1."),
        (Needs(fewest=2, most=3), PYRAMID[:1], "2 to 3 maps, and there is 1."),
    ],
)
def test_an_unmet_need_says_what_is_needed_and_what_is_there(needs: Needs, pyramid: tuple[Level, ...], case: str) -> None:
    with pytest.raises(ContractError) as caught:
        needs.check(pyramid, part="thing")
    assert caught.value.case == f"It needs {case}"


def test_the_message_names_the_part_and_what_it_was_given() -> None:
    with pytest.raises(ContractError, match=r"^thing was given 128 channels at stride 8, 256 at 16, 512 at 32\."):
        Needs(equal_channels=True).check(PYRAMID, part="thing")


def test_met_needs_are_silent() -> None:
    Needs(fewest=3, most=3, equal_channels=True, channels_multiple=32, doubling=True).check(EQUAL, part="thing")
