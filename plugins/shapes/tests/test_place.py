"""Boxes against masks: the box of a shape is the box of its pixels, at any place in an image."""

from dataclasses import replace

import numpy as np
import pytest
from detzoo_shapes.draws import Draws
from detzoo_shapes.outlines import DISTANCES, NAMES, outline
from detzoo_shapes.place import (
    Placed,
    box_of,
    clipped,
    mask_of,
    ribbon_distance,
    ribbon_mask,
    turned,
    window_of,
)
from hypothesis import assume, given, settings
from hypothesis import strategies as st

WIDTH, HEIGHT = 96, 80
FINE = 8  # parts of a pixel, each way


def fine_box(placed: Placed, label: int) -> tuple[float, ...]:
    """The box of the pixels of an image that is `FINE` times as large."""
    larger = replace(
        placed,
        x=placed.x * FINE,
        y=placed.y * FINE,
        radius=placed.radius * FINE,
        extent=tuple(edge * FINE for edge in placed.extent),
    )
    window = window_of(larger, WIDTH * FINE, HEIGHT * FINE)
    mask = mask_of(larger, DISTANCES[label], window)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    left, top = columns[0] + window[1].start, rows[0] + window[0].start
    right, bottom = columns[-1] + 1 + window[1].start, rows[-1] + 1 + window[0].start
    return left / FINE, top / FINE, right / FINE, bottom / FINE


@settings(max_examples=150)
@given(
    label=st.integers(0, len(NAMES) - 1),
    x=st.floats(0, WIDTH),
    y=st.floats(0, HEIGHT),
    size=st.floats(8, 75),
    turn=st.integers(0, 10**6),
)
def test_the_box_is_that_of_the_pixels_of_the_shape(
    label: int, x: float, y: float, size: float, turn: int
) -> None:
    placed = Placed.of(label, x=x, y=y, size=size, direction=Draws(turn).direction())
    window = window_of(placed, WIDTH, HEIGHT)
    assume(mask_of(placed, DISTANCES[label], window).any())  # a hollow may be all that is inside
    box = box_of(placed, label, WIDTH, HEIGHT)
    pixels = fine_box(placed, label)
    for edge, seen, sign in zip(box, pixels, (1, 1, -1, -1), strict=True):
        assert sign * (seen - edge) > -0.6 / FINE  # no pixel is outside
        assert sign * (seen - edge) < (0.8 if NAMES[label] in ("moon", "star") else 0.3)


@pytest.mark.parametrize("label", range(len(NAMES)), ids=NAMES)
def test_the_longer_side_is_the_size_and_the_middle_is_where_it_was_put(label: int) -> None:
    placed = Placed.of(label, x=50, y=40, size=30, direction=Draws(label).direction())
    left, top, right, bottom = placed.extent
    assert max(right - left, bottom - top) == pytest.approx(30)
    assert ((left + right) / 2, (top + bottom) / 2) == pytest.approx((50, 40))
    points = turned(outline(label), placed.direction) * placed.radius + (placed.x, placed.y)
    assert points.min(axis=0).tolist() == pytest.approx([left, top])


def test_a_shape_that_is_cut_has_the_box_of_what_is_left() -> None:
    square = Placed.of(2, x=0, y=40, size=20, direction=(1.0, 0.0))
    assert box_of(square, 2, WIDTH, HEIGHT) == pytest.approx((0, 30, 10, 50))
    tip = Placed.of(2, x=-5, y=40, size=20, direction=(0.7071067811865476, 0.7071067811865476))
    assert box_of(tip, 2, WIDTH, HEIGHT) == pytest.approx((0, 35, 5, 45))


def test_a_shape_around_the_whole_image_has_the_box_of_the_image() -> None:
    circle = Placed.of(0, x=48, y=40, size=400, direction=(1.0, 0.0))
    assert box_of(circle, 0, WIDTH, HEIGHT) == (0, 0, WIDTH, HEIGHT)


def test_lines_along_an_edge_are_clipped_too() -> None:
    square = np.array([(-5.0, -5.0), (5.0, -5.0), (5.0, 5.0), (-5.0, 5.0)])
    found = clipped(square, 20.0, 20.0)
    assert found.min(axis=0).tolist() == [0, 0]
    assert found.max(axis=0).tolist() == [5, 5]


def test_a_ribbon_is_as_wide_as_it_says() -> None:
    mask = ribbon_mask((1.0, 0.0), 20.0, 3.0, WIDTH, HEIGHT)
    assert np.flatnonzero(mask[0]).tolist() == list(range(17, 23))
    assert mask.all(axis=0).sum() == 6
    assert ribbon_distance((1.0, 0.0), 20.0, 3.0, WIDTH, HEIGHT)[5, 30] == pytest.approx(7.5)
