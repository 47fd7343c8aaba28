"""Places of images on a sheet."""

from collections.abc import Sequence
from itertools import groupby, pairwise

from hypothesis import given
from hypothesis import strategies as st

from zoo.draw.gallery import TALLEST, Place, in_columns, in_rows

SIDES = st.tuples(st.integers(1, 5000), st.integers(1, 5000))
SHEET = {"width": 1700, "height": 250, "gap": 16, "below": 24}


def rows_of(places: Sequence[Place]) -> list[list[Place]]:
    return [list(row) for _, row in groupby(places, key=lambda place: place.top)]


@given(st.lists(SIDES, min_size=1, max_size=30))
def test_rows_fill_the_sheet_and_nothing_overlaps(sizes: list[tuple[int, int]]) -> None:
    places = in_rows(sizes, **SHEET)
    assert len(places) == len(sizes)
    end = 0
    for row in rows_of(places):
        assert row[0].left == 0
        assert row[0].top == end
        assert len({place.height for place in row}) == 1
        gaps = [b.left - a.left - a.width for a, b in pairwise(row)]
        assert all(abs(gap - SHEET["gap"]) <= 1 for gap in gaps)
        assert all(place.width > 0 < place.height for place in row)
        right = row[-1].left + row[-1].width
        assert right == SHEET["width"] or (row[0].height == 400 and right < SHEET["width"])
        assert row[0].height <= TALLEST * SHEET["height"]
        end += row[0].height + SHEET["below"] + SHEET["gap"]


def test_images_keep_their_shape() -> None:
    for place in in_rows([(640, 480)] * 24, **SHEET):
        assert abs(place.width / place.height - 4 / 3) < 0.02


def test_rows_of_one_kind_are_alike() -> None:
    rows = rows_of(in_rows([(640, 480)] * 24, **SHEET))
    assert [len(row) for row in rows] == [5, 5, 5, 5, 4] or len({len(row) for row in rows}) == 1


def test_very_long_images_get_paper_beside_them() -> None:
    [narrow, wide] = in_rows([(1, 100), (100, 1)], **SHEET)
    assert round(narrow.width / narrow.height, 1) == 0.4
    assert round(wide.width / wide.height, 1) == 3.2


def test_columns_have_one_width_and_rows_their_shape() -> None:
    places = in_columns([2.0, 0.1], columns=4, width=1000, gap=20, below=10)
    assert [place.left for place in places] == [0, 255, 510, 765] * 2
    assert {place.width for place in places} == {235}
    assert [place.height for place in places] == [118] * 4 + [235] * 4
    assert places[4].top == 118 + 10 + 20
