"""What is drawn on has the pixels that `detect` sees, or is refused."""

import io

import numpy as np
import PIL.Image
import pytest

from zoo.draw.image import to_pil
from zoo.errors import ImageError
from zoo.images import read

NOISE = np.random.default_rng(1).integers(0, 256, (48, 64, 3), dtype=np.uint8)


@pytest.mark.parametrize("mode", ["I;16", "L", "RGBA", "P", "CMYK", "LAB"])
def test_what_is_drawn_on_is_what_detect_sees(mode: str) -> None:
    ramp = np.linspace(0, 65535, 48 * 64).reshape(48, 64).astype(np.uint16)
    deep = mode == "I;16"
    image = PIL.Image.fromarray(ramp) if deep else PIL.Image.fromarray(NOISE).convert(mode)
    if mode == "P":
        image.info["transparency"] = bytes(range(256))  # Pillow would warn of losing it
    drawn = np.asarray(to_pil(image))
    assert np.array_equal(drawn.transpose(2, 0, 1), read(image).pixels.numpy())


@pytest.mark.parametrize("mode", ["I", "F"])
def test_deep_gray_whose_white_nobody_knows_is_refused_as_in_detect(mode: str) -> None:
    with pytest.raises(ImageError, match="nothing says what is white"):
        to_pil(PIL.Image.new(mode, (4, 4), 1))


def test_a_damaged_file_is_refused_in_words() -> None:
    file = io.BytesIO()
    PIL.Image.fromarray(NOISE).save(file, "PNG")
    cut = PIL.Image.open(io.BytesIO(file.getvalue()[:5000]))
    with pytest.raises(ImageError, match="damaged or cut short"):
        to_pil(cut)


def test_a_rotated_photo_is_turned_upright() -> None:
    photo = PIL.Image.new("RGB", (640, 480))
    photo.getexif()[0x0112] = 6
    assert to_pil(photo).size == (480, 640)
