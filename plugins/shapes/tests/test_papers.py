"""Papers: their own colour where nothing shades it, a second one where there is a pattern."""

import numpy as np
import pytest
from detzoo_shapes.draws import Draws
from detzoo_shapes.papers import paper
from detzoo_shapes.scene import MATERIALS

SIDE = 80
FIRST, SECOND = (200, 60, 40), (30, 120, 220)


def sheet(material: str, *, first=FIRST, second=SECOND, radius: float = 40.0) -> np.ndarray:
    axis = np.arange(SIDE, dtype=np.float32) - SIDE / 2 + 0.5
    u, v = np.meshgrid(axis, axis)
    distance = np.sqrt(u * u + v * v) - np.float32(radius)
    return paper(
        material, first, second, u=u, v=v, distance=distance, radius=radius, draws=Draws(1)
    )


@pytest.mark.parametrize("material", MATERIALS)
def test_a_paper_is_of_its_colours(material: str) -> None:
    found = sheet(material)
    assert found.shape == (3, SIDE, SIDE)
    assert found.dtype == np.float32
    middle = np.median(found, axis=(1, 2))
    if material in ("plain", "shaded", "domed"):
        assert middle == pytest.approx(FIRST, rel=0.16)
    else:
        near = [np.abs(found - np.array(c)[:, None, None]).max(axis=0) for c in (FIRST, SECOND)]
        shares = [(gap < 40).mean() for gap in near]
        assert min(shares) > 0.1
        assert sum(shares) > 0.7


def test_a_pattern_of_two_like_colours_takes_a_paler_one() -> None:
    found = sheet("striped", second=FIRST)
    assert np.ptp(found, axis=(1, 2)).min() > 30


def test_a_small_shape_has_no_pattern() -> None:
    assert np.abs(np.median(sheet("dotted", radius=6.0), axis=(1, 2)) - FIRST).max() < 12
