"""What every family's prepare refuses, by the picture's position."""

import numpy as np
import pytest
import torch

from zoo.errors import ImageError
from zoo.parts import check_pixels

GOOD = torch.zeros(3, 4, 5, dtype=torch.uint8)


def test_uint8_pictures_of_any_sizes_pass() -> None:
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
    with pytest.raises(ImageError, match=f"Picture 1 .*\n.*{said}.*\n.*uint8 RGB"):
        check_pixels([GOOD, image])  # type: ignore[list-item]
