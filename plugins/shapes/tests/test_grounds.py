"""Backgrounds: between the two tones of their palette, and quiet."""

from dataclasses import replace

import numpy as np
import pytest
from detzoo_shapes.draws import Draws
from detzoo_shapes.grounds import ground
from detzoo_shapes.scene import GROUNDS, compose


@pytest.mark.parametrize("kind", GROUNDS)
def test_a_ground_is_between_its_tones(kind: str) -> None:
    scene = replace(compose("val", 0, size=(120, 90)), ground=kind)
    found = ground(scene, Draws(7))
    assert found.shape == (3, 90, 120)
    tones = np.array(scene.palette.ground, float)
    low, high = tones.min(axis=0), tones.max(axis=0)
    middle = found.mean(axis=(1, 2))
    assert (middle > low - 12).all()
    assert (middle < high + 12).all()
    assert found.std(axis=(1, 2)).max() < 30
