"""Boxes and scores as whole numbers: cut at the edges, and never over a threshold by rounding."""

from hypothesis import given
from hypothesis import strategies as st

from zoo.draw.palette import color_of
from zoo.gallery.shown import PARTS, css_color, part_of, score_part, threshold_below

SIDES = st.integers(1, 5000)
EDGES = st.floats(-1e4, 1e4)


@given(EDGES, EDGES, EDGES, EDGES, SIDES, SIDES)
def test_a_box_stays_in_the_image(
    x1: float, y1: float, x2: float, y2: float, width: int, height: int
) -> None:
    box = (min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))
    left, top, wide, tall = part_of(box, width, height)
    assert 0 <= left <= left + wide <= PARTS
    assert 0 <= top <= top + tall <= PARTS


def test_a_box_is_in_parts_of_the_sides() -> None:
    assert part_of((10, 20, 60, 40), 100, 200) == (1000, 1000, 5000, 1000)


@given(st.floats(0, 1))
def test_a_score_passes_no_step_that_the_number_does_not_pass(score: float) -> None:
    assert score - 1.01 / PARTS < score_part(score) / PARTS <= score + 1e-12


@given(st.floats(0, 1))
def test_the_threshold_of_a_page_leaves_out_nothing_that_passes(score: float) -> None:
    assert score - 0.0101 < threshold_below(score) <= score


def test_a_class_has_the_colour_of_annotated_images() -> None:
    assert css_color(0) == "#ff9f1c"
    assert color_of(0) == (255, 159, 28)
