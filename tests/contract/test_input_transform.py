"""Boxes come back from the network's input to where they were."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from zoo.contract import InputTransform

SIZES = st.integers(20, 300)
SHARES = st.floats(0, 0.4)


@given(SIZES, SIZES, st.floats(0.25, 4), SHARES, SHARES, st.floats(0, 50), st.booleans())
def test_a_box_inside_of_the_crop_comes_back(
    height: int, width: int, scale: float, down: float, across: float, padding: float, flip: bool
) -> None:
    place = InputTransform(
        height,
        width,
        scale_y=scale,
        scale_x=scale / 2,
        top=padding,
        left=padding / 2,
        crop_top=down * height,
        crop_left=across * width,
        flipped=flip,
    )
    box = torch.tensor([[0.5 * width, 0.5 * height, 0.75 * width, 0.9 * height]])
    assert place.to_original(place.to_input(box)).tolist()[0] == pytest.approx(
        box.tolist()[0], abs=0.01
    )


def test_flipped_cropped_scaled_and_padded_in_this_order() -> None:
    place = InputTransform(
        40, 100, scale_y=2.0, scale_x=2.0, top=3.0, left=5.0, crop_left=10.0, flipped=True
    )
    assert place.to_input(torch.tensor([[20.0, 4.0, 30.0, 8.0]])).tolist() == [
        [125.0, 11.0, 145.0, 19.0]
    ]
