"""The two descriptions of a class, distance and outline, are of one shape."""

import numpy as np
import pytest
from detzoo_shapes.outlines import DISTANCES, HOLE, NAMES, outline

LABELS = range(len(NAMES))


def distance(label: int, points: np.ndarray, radius: float = 100.0) -> np.ndarray:
    x, y = (points * radius).astype(np.float32).T
    return DISTANCES[label](x, y, radius) / radius


def contains(points: np.ndarray, x: float, y: float) -> bool:
    begins, ends = points, np.roll(points, -1, axis=0)
    across = (begins[:, 1] > y) != (ends[:, 1] > y)
    share = (y - begins[across, 1]) / (ends[across, 1] - begins[across, 1])
    crossing = begins[across, 0] + share * (ends[across, 0] - begins[across, 0])
    return bool(np.count_nonzero(crossing > x) % 2)


@pytest.mark.parametrize("label", LABELS, ids=NAMES)
def test_the_outline_is_where_the_distance_is_zero(label: int) -> None:
    points = outline(label)
    middles = (points + np.roll(points, -1, axis=0)) / 2
    assert np.abs(distance(label, points)).max() < 1e-5
    assert np.abs(distance(label, middles)).max() < 3e-4  # arcs are polygons


@pytest.mark.parametrize("label", LABELS, ids=NAMES)
def test_inside_the_outline_the_distance_is_negative_and_outside_it_is_not(label: int) -> None:
    points = np.random.default_rng(label).uniform(-1.8, 1.8, (400, 2))
    found = distance(label, points)
    for (x, y), value in zip(points.tolist(), found.tolist(), strict=True):
        inside = contains(outline(label), x, y)
        if NAMES[label] == "ring" and x * x + y * y < HOLE * HOLE:
            inside = False
        if abs(value) > 2e-3:
            assert inside == (value < 0)


@pytest.mark.parametrize("label", LABELS, ids=NAMES)
def test_distances_are_lengths_so_that_edges_are_one_pixel_soft(label: int) -> None:
    points = np.random.default_rng(label).uniform(-1.2, 1.2, (300, 2))
    step = np.array([1e-2, 0.0])
    slope = np.abs(distance(label, points + step) - distance(label, points)) / 1e-2
    assert slope.max() < 1.01


def test_outlines_can_not_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        outline(0)[0] = 1
