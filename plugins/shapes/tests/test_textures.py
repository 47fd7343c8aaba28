"""Tiles and fields that scenes are textured with."""

import numpy as np
import pytest
from detzoo_shapes.draws import Draws
from detzoo_shapes.textures import (
    TILE,
    crop,
    edge,
    noise_tile,
    paper_tile,
    smooth_field,
    wave,
)


def test_noise_is_of_mean_0_and_deviation_1_and_each_tile_another() -> None:
    for tile in (noise_tile(0), noise_tile(1)):
        assert tile.shape == (TILE, TILE)
        assert tile.mean() == pytest.approx(0, abs=0.01)
        assert tile.std() == pytest.approx(1, abs=0.01)
    assert not np.array_equal(noise_tile(0), noise_tile(1))


def test_paper_has_fibres_along_one_axis() -> None:
    tile = paper_tile()
    along = np.abs(np.diff(tile, axis=1)).mean()
    across = np.abs(np.diff(tile, axis=0)).mean()
    assert along < across
    assert 0.5 < tile.std() < 1.6


@pytest.mark.parametrize("size", [(8, 8), (TILE, TILE), (TILE + 30, 12), (40, 3 * TILE)])
def test_a_window_has_the_size_that_was_asked_for(size: tuple[int, int]) -> None:
    assert crop(noise_tile(0), Draws(5), *size).shape == size


def test_a_smooth_field_is_between_0_and_1_without_steps() -> None:
    field = smooth_field(Draws(6), 90, 120)
    assert field.shape == (90, 120)
    assert field.min() >= 0
    assert field.max() <= 1
    assert np.abs(np.diff(field, axis=0)).max() < 0.06


def test_a_wave_repeats_and_an_edge_is_one_pixel_wide() -> None:
    values = np.array([0, 0.25, 0.5, 1, 1.5], np.float32)
    assert wave(values).tolist() == [1, 0.5, 0, 1, 0]
    distances = np.array([-2, -0.5, 0, 0.25, 0.5, 3], np.float32)
    assert edge(distances).tolist() == [1, 1, 0.5, 0.25, 0, 0]
    assert edge(distances, 2.0).tolist() == [1, 0.75, 0.5, 0.375, 0.25, 0]
