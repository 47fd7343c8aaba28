"""Detections to test with: three in a street, and any at all."""

import pytest
from hypothesis import strategies as st

from zoo.detections import Detections

COORDINATE = st.floats(0, 10_000, width=32)
ROW = st.tuples(
    COORDINATE, COORDINATE, COORDINATE, COORDINATE, st.floats(0, 1, width=32), st.integers(0, 79)
)


@pytest.fixture
def street() -> Detections:
    """A car, a person that overlaps it, and a dog elsewhere."""
    return Detections.of(
        [[0, 0, 10, 10], [1, 1, 11, 11], [50, 50, 60, 70.3]],
        [0.5, 0.9, 0.44],
        ["person", "car", "dog"],
        label_space="coco80",
        size=(480, 640),
        source="street.jpg",
    )


@st.composite
def _detections(draw: st.DrawFn) -> Detections:
    rows = draw(st.lists(ROW, max_size=6))
    corners = [[min(a, c), min(b, d), max(a, c), max(b, d)] for a, b, c, d, _, _ in rows]
    size = draw(st.none() | st.tuples(st.integers(1, 9999), st.integers(1, 9999)))
    scores, labels = [row[4] for row in rows], [row[5] for row in rows]
    return Detections.of(
        corners,
        scores,
        labels,
        label_space="coco80",
        size=size,
        source=draw(st.none() | st.text(max_size=9)),
    )


@pytest.fixture(scope="session")
def any_detections() -> st.SearchStrategy[Detections]:
    """Up to six boxes, ties and boxes without area included."""
    return _detections()
