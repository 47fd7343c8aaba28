"""JPEGs that fit into their room, whatever is on them."""

import base64
import io

import numpy as np
import PIL.Image
import pytest

from zoo.gallery.jpeg import MOST_BYTES, SIDE, data_url, room
from zoo.images import Image, read


@pytest.fixture(scope="module")
def noise() -> Image:
    """Noise, which no JPEG makes small."""
    return read(np.random.default_rng(0).integers(0, 256, (600, 900, 3), np.uint8))


def opened(url: str) -> PIL.Image.Image:
    kind, _, content = url.partition(",")
    assert kind == "data:image/jpeg;base64"
    return PIL.Image.open(io.BytesIO(base64.b64decode(content)))


@pytest.mark.parametrize("most", [400_000, 40_000, 4_000])
def test_an_image_is_made_smaller_until_it_fits(most: int, noise: Image) -> None:
    url = data_url(noise.pixels, most=most)
    assert most / 5 < len(url) <= most
    width, height = opened(url).size
    assert abs(width / height - 1.5) < 0.05


def test_an_image_is_as_large_as_there_is_room_for() -> None:
    plain = read(np.full((200, 3000, 3), 90, np.uint8))
    assert opened(data_url(plain.pixels, most=10**6)).size == (SIDE, 85)
    small = read(np.full((20, 30, 3), 90, np.uint8))
    assert opened(data_url(small.pixels, most=10**6)).size == (30, 20)


def test_an_image_comes_to_an_end_where_there_is_no_room(noise: Image) -> None:
    assert opened(data_url(noise.pixels, most=10)).size == (1, 1)


def test_all_images_of_a_page_have_a_bound() -> None:
    for count in (1, 200, 2000):
        assert count * room(count) <= MOST_BYTES
    assert room(0) == MOST_BYTES
