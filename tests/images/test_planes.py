"""Decoded images as three upright planes, whatever their mode and size."""

import numpy as np
import PIL.Image
import pytest
from PIL import ImageOps

from zoo.images import planes
from zoo.images.planes import bytes_to_decode, planes_of

COLORS = np.random.default_rng(0).integers(0, 256, (7, 5, 3), np.uint8)
IMAGE = PIL.Image.fromarray(COLORS)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV"])
def test_planes_are_what_pillow_converts_to(mode: str) -> None:
    image = IMAGE.convert(mode)
    found, lost = planes_of(image, "a.png", 1)
    assert found.permute(1, 2, 0).numpy().tolist() == np.asarray(image.convert("RGB")).tolist()
    assert lost == ()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_image_is_turned_upright(orientation: int) -> None:
    image = IMAGE.copy()
    image.getexif()[0x0112] = orientation
    upright = ImageOps.exif_transpose(image)
    found, _ = planes_of(IMAGE, "a.png", orientation)
    assert found.is_contiguous()
    assert found.permute(1, 2, 0).numpy().tolist() == np.asarray(upright).tolist()


@pytest.mark.parametrize("mode", ["RGB", "P", "L", "I;16"])
def test_strips_change_nothing(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    gray = np.arange(35, dtype=np.uint16).reshape(7, 5) * 1000
    image = PIL.Image.fromarray(gray) if mode == "I;16" else IMAGE.convert(mode)
    whole, lost = planes_of(image, "a.png", 6)
    monkeypatch.setattr(planes, "STRIP_PIXELS", 10)  # two rows
    parts, lost_in_parts = planes_of(image, "a.png", 6)
    assert parts.tolist() == whole.tolist()
    assert lost_in_parts == lost


def test_gray_of_16_bits_is_scaled_to_its_white() -> None:
    gray = np.array([[0, 257, 65535]], np.uint16)
    found, _ = planes_of(PIL.Image.fromarray(gray), "a.png", 1)
    assert found.tolist() == [[[0, 1, 255]]] * 3


def test_the_memory_that_decoding_takes_grows_with_pixels_and_depth() -> None:
    small, large = PIL.Image.new("RGB", (10, 10)), PIL.Image.new("RGB", (20, 10))
    assert bytes_to_decode(small) == 700
    assert bytes_to_decode(large) == 1400
    assert bytes_to_decode(PIL.Image.new("L", (10, 10))) == 400
    small.info["progressive"] = 1
    assert bytes_to_decode(small) == 1300
