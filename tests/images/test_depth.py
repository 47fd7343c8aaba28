"""Images of more than 8 bits: their depth, their white, and gray ones in 8 bits."""

import io
from typing import Any

import numpy as np
import PIL.Image
import pytest

from zoo.errors import ImageError
from zoo.images.depth import bits_of, checked_white, is_deep_gray, to_8_bits, white_of


def opened(image: PIL.Image.Image, kind: str, **options: Any) -> PIL.Image.Image:
    """The image as it is opened from a file, not loaded yet."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return PIL.Image.open(file)


GRAY_16 = PIL.Image.fromarray(np.array([[0, 1000, 65535]], np.uint16))


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bits_are_seen_and_have_a_white(kind: str) -> None:
    image = opened(GRAY_16, kind)
    assert bits_of(image) == 16
    assert is_deep_gray(image)
    assert white_of(image) == 65535


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG", "JPEG2000", "WEBP", "PPM"])
def test_8_bits_are_8_bits(kind: str) -> None:
    image = opened(PIL.Image.new("RGB", (8, 8), (1, 2, 3)), kind)
    assert bits_of(image) == 8
    assert not is_deep_gray(image)


def test_32_bits_have_no_white_unless_the_file_declares_it() -> None:
    floats = PIL.Image.fromarray(np.array([[0, 0.5, 2]], np.float32))
    image = opened(floats, "TIFF")
    assert bits_of(image) == 32
    assert white_of(image) is None
    assert white_of(opened(floats, "TIFF", tiffinfo={341: 2.0})) == 2.0


def test_white_is_255_and_values_are_rounded() -> None:
    assert to_8_bits(np.array([0, 128.4, 257, 65535]), 65535).tolist() == [0, 0, 1, 255]
    assert to_8_bits(np.array([0.0, 0.5, 1.0]), 1.0).tolist() == [0, 128, 255]


def test_what_nobody_knows_the_white_of_is_refused_with_its_values() -> None:
    floats = PIL.Image.fromarray(np.array([[0, 2]], np.float32))
    with pytest.raises(ImageError, match=r"go from 0 to 2, and nothing says what is white"):
        checked_white(floats, (0, 2), "a.tif")
    declared = opened(floats, "TIFF", tiffinfo={341: 1.0})
    for extremes in ((0.0, 2.0), (-1.0, 1.0), (0.0, float("nan"))):
        with pytest.raises(ImageError, match=r"outside 0\.\.1"):
            checked_white(declared, extremes, "a.tif")
    assert checked_white(declared, (0, 1), "a.tif") == 1
