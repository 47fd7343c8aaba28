import itertools

from hypothesis import given
from hypothesis import strategies as st

from zoo.draw.placement import place

SIZE = (120, 200)  # height, width


@st.composite
def crowd(draw: st.DrawFn):
    """Boxes inside the image, with a chip each."""
    rows = draw(
        st.lists(
            st.tuples(st.floats(0, 200), st.floats(0, 120), st.floats(0, 200), st.floats(0, 120)),
            max_size=25,
        )
    )
    boxes = [(min(a, c), min(b, d), max(a, c), max(b, d)) for a, b, c, d in rows]
    return boxes, [draw(st.tuples(st.integers(1, 60), st.integers(1, 14))) for _ in boxes]


def rectangles(boxes, sizes, *, share: float = 1.0):
    spots = place(boxes, sizes, height=SIZE[0], width=SIZE[1], reach=1.5, share=share)
    assert len(spots) == len(boxes)
    return [
        (*spot, spot[0] + wide, spot[1] + tall)
        for spot, (wide, tall) in zip(spots, sizes, strict=True)
        if spot
    ]


@given(crowd())
def test_chips_stay_inside_the_image(given_crowd) -> None:
    for x1, y1, x2, y2 in rectangles(*given_crowd):
        assert x1 >= 0
        assert y1 >= 0
        assert x2 <= SIZE[1]
        assert y2 <= SIZE[0]


@given(crowd())
def test_chips_never_cover_each_other(given_crowd) -> None:
    for a, b in itertools.combinations(rectangles(*given_crowd), 2):
        assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


@given(crowd())
def test_chips_leave_the_image_to_be_seen(given_crowd) -> None:
    covered = [(x2 - x1) * (y2 - y1) for x1, y1, x2, y2 in rectangles(*given_crowd, share=0.05)]
    assert sum(covered) <= 0.05 * SIZE[0] * SIZE[1] or len(covered) == 1


def test_a_chip_sits_on_its_box() -> None:
    assert place([(50, 50, 150, 100)], [(40, 10)], height=120, width=200, reach=2, share=1) == [
        (48, 38)
    ]


def test_a_large_box_at_the_top_has_its_chip_inside() -> None:
    assert place([(50, 5, 150, 100)], [(40, 10)], height=120, width=200, reach=2, share=1) == [
        (48, 3)
    ]


def test_a_small_box_at_the_top_is_not_hidden() -> None:
    assert place([(50, 5, 70, 15)], [(40, 10)], height=120, width=200, reach=2, share=1) == [
        (48, 17)
    ]


def test_a_chip_does_not_hide_another_box_where_there_is_another_place() -> None:
    boxes = [(50, 50, 150, 100), (52, 38, 76, 47)]
    spots = place(boxes, [(40, 10), (10, 6)], height=120, width=200, reach=2, share=1)
    assert spots[0] == (112, 38)  # and not (48, 38), on the small one
    surrounded = [*boxes, (90, 38, 120, 47), (112, 38, 150, 47)]
    assert place(surrounded, [(40, 10)] * 4, height=120, width=200, reach=2, share=1)[0]


def test_the_best_of_equal_boxes_chooses_first() -> None:
    spots = place([(50, 50, 150, 100)] * 3, [(40, 10)] * 3, height=120, width=200, reach=2, share=1)
    assert spots[0] == (48, 38)
    assert None not in spots


def test_a_chip_larger_than_the_image_is_left_out() -> None:
    assert place([(0, 0, 5, 5)], [(201, 10)], height=120, width=200, reach=2, share=1) == [None]
    assert place([(0, 0, 5, 5)], [(20, 121)], height=120, width=200, reach=2, share=1) == [None]
