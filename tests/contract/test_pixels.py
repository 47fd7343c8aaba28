"""What every family's preprocess refuses, by the image's position."""

import numpy as np
import pytest
import torch

from zoo.contract import check_pixels
from zoo.errors import ImageError

GOOD = torch.zeros(3, 4, 5, dtype=torch.uint8)


def test_uint8_images_of_any_sizes_pass() -> None:
    check_pixels([GOOD, torch.zeros(3, 1, 1, dtype=torch.uint8)])


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (np.zeros((4, 5, 3), np.uint8), "It is a ndarray"),
        (torch.zeros(3, 4, 5), r"torch\.float32, \(3, 4, 5\)"),
        (torch.zeros(4, 5, 3, dtype=torch.uint8), r"torch\.uint8, \(4, 5, 3\)"),
        (torch.zeros(3, 0, 5, dtype=torch.uint8), r"\(3, 0, 5\)"),
    ],
)
def test_another_thing_is_named_by_its_position(image: object, said: str) -> None:
    with pytest.raises(ImageError, match=f"image 1.*\n.*{said}.*\n.*uint8 RGB"):
        check_pixels([GOOD, image])  # type: ignore[list-item]


def test_one_tensor_is_told_to_come_in_a_list() -> None:
    with pytest.raises(ImageError, match=r"Pass a list: preprocess\(\[image\]\)"):
        check_pixels(GOOD)  # type: ignore[arg-type]


def test_how_floats_become_what_is_wanted_is_said() -> None:
    values = torch.tensor([0, 1, 127, 254, 255], dtype=torch.uint8).expand(3, 4, 5)
    image = values / 255
    with pytest.raises(ImageError) as raised:
        check_pixels([image])
    said = raised.value.fix.partition("Of floats in [0, 1]: ")[2]
    converted = eval(said, {"torch": torch, "image": image})
    check_pixels([converted])
    assert torch.equal(converted, values)
