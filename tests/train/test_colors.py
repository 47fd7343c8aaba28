"""Colours change as torchvision changes them, where nothing is cut, and hues turn about grey."""

import colorsys

import pytest
import torch
from torchvision.transforms.v2 import functional as F

from zoo.train.colors import adjust_colors

IMAGE = torch.randint(
    90, 150, (3, 200, 211), generator=torch.Generator().manual_seed(0), dtype=torch.uint8
)  # more than a strip, and not a multiple of one


@pytest.mark.parametrize("factor", [0.7, 0.9, 1.0, 1.3])
@pytest.mark.parametrize("place", ["brightness", "contrast", "saturation"])
def test_each_factor_is_that_of_torchvision(place: str, factor: float) -> None:
    values = {"brightness": 1.0, "contrast": 1.0, "saturation": 1.0, place: factor}
    expected = getattr(F, f"adjust_{place}_image")(IMAGE, factor)
    apart = (adjust_colors(IMAGE, **values, hue=0.0).int() - expected.int()).abs()
    assert apart.max() <= 2  # it cuts the rest off, and rounds its grey
    if factor == 1:
        assert torch.equal(adjust_colors(IMAGE, **values, hue=0.0), IMAGE)


@pytest.mark.parametrize("hue", [-0.2, -0.05, 0.05, 0.2])
def test_hues_turn_as_far_and_grey_and_luma_stay(hue: float) -> None:
    grey = torch.full((3, 4, 4), 77, dtype=torch.uint8)
    assert torch.equal(adjust_colors(grey, 1, 1, 1, hue), grey)
    for color in ((150, 110, 110), (110, 150, 110), (110, 110, 150), (140, 140, 100)):
        pixel = torch.tensor(color, dtype=torch.uint8).view(3, 1, 1)
        turned = adjust_colors(pixel, 1, 1, 1, hue)
        before, after = (
            colorsys.rgb_to_hsv(*(one.flatten() / 255).tolist())[0] for one in (pixel, turned)
        )
        way = (after - before + 0.5) % 1 - 0.5
        assert way == pytest.approx(hue, abs=0.06)
        luma = torch.tensor([0.299, 0.587, 0.114])
        assert float(luma @ turned.flatten().float()) == pytest.approx(
            float(luma @ pixel.flatten().float()), abs=1
        )


def test_values_are_cut_at_the_end_and_the_image_given_stays() -> None:
    before = IMAGE.clone()
    assert adjust_colors(IMAGE, 10, 1, 1, 0).min() == 255
    assert adjust_colors(IMAGE, 0, 1, 1, 0).max() == 0
    assert torch.equal(IMAGE, before)


def test_bits_do_not_depend_on_threads() -> None:
    threads = torch.get_num_threads()
    found = []
    for number in (1, 3):
        torch.set_num_threads(number)
        found.append(adjust_colors(IMAGE, 1.1, 0.9, 1.2, 0.01))
    torch.set_num_threads(threads)
    assert torch.equal(*found)
