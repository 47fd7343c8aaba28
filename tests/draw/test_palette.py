import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from zoo.draw.palette import DARK, LIGHT, PALETTE, color_of, contrast, ink_on

# Machado, Oliveira and Fernandes 2009, table 1, severity 1: linear RGB as it is seen.
SIGHT = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
# Björn Ottosson 2020, https://bottosson.github.io/posts/oklab
TO_CONES = [
    [0.4122214708, 0.5363325363, 0.0514459929],
    [0.2119034982, 0.6806995451, 0.1073969566],
    [0.0883024619, 0.2817188376, 0.6299787005],
]
TO_LAB = [
    [0.2104542553, 0.7936177850, -0.0040720468],
    [1.9779984951, -2.4285922050, 0.4505937099],
    [0.0259040371, 0.7827717662, -0.8086757660],
]


def oklab(sight: str) -> NDArray[np.float64]:
    """The palette in OKLab as that sight sees it, (colours, 3)."""
    rgb = np.array(PALETTE) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.array(SIGHT[sight]).T, 0, 1)
    return np.cbrt(seen @ np.array(TO_CONES).T) @ np.array(TO_LAB).T


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize(("first", "apart"), [(8, 0.11), (len(PALETTE), 0.06)])
def test_colours_stay_apart_for_everybody(sight: str, first: int, apart: float) -> None:
    colours = oklab(sight)[:first]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(colours, 2)) > apart


@pytest.mark.parametrize("color", PALETTE, ids=str)
def test_letters_can_be_read_on_every_colour(color) -> None:
    assert contrast(ink_on(color), color) >= 4.5


def test_a_class_keeps_its_colour() -> None:
    assert [color_of(label) for label in range(2 * len(PALETTE))] == [*PALETTE, *PALETTE]


def test_contrast_is_that_of_wcag() -> None:
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast((119, 119, 119), LIGHT) == pytest.approx(4.48, abs=0.005)
    assert contrast(DARK, DARK) == 1
