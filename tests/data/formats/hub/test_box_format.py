"""The form of boxes, found out from numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.data.formats.hub.box_format import BoxForm, corners_and_sizes, form_of
from zoo.data.formats.hub.options import HubBoxFormat, HubOptions

NONE = HubOptions()


def random_boxes(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """x, y, width, height of boxes within images of several sizes."""
    random = np.random.default_rng(seed)
    sizes = random.integers(50, 900, (count, 2)).astype(np.float64)
    corners = np.sort(random.random((count, 2, 2)), axis=1)
    low, high = corners[:, 0] * sizes, corners[:, 1] * sizes
    return np.concatenate([low, high - low], axis=1), sizes


def in_form(xywh: np.ndarray, sizes: np.ndarray, form: BoxForm) -> np.ndarray:
    boxes = xywh / np.tile(sizes, 2) if form.fractions else xywh.copy()
    if form.box_format == "xyxy":
        boxes[:, 2:] += boxes[:, :2]
    if form.box_format == "cxcywh":
        boxes[:, :2] += boxes[:, 2:] / 2
    return boxes


FORMS = [
    BoxForm("xywh", fractions=False),
    BoxForm("xyxy", fractions=False),
    BoxForm("cxcywh", fractions=True),
    BoxForm("xyxy", fractions=True),
    BoxForm("xywh", fractions=True),
]


@pytest.mark.parametrize("form", FORMS, ids=str)
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), count=st.integers(40, 200))
def test_of_forty_boxes_or_more_the_form_is_found(form: BoxForm, seed: int, count: int) -> None:
    xywh, sizes = random_boxes(seed, count)
    boxes = in_form(xywh, sizes, form)
    found = form_of(boxes, sizes, None, NONE)
    assert (found.box_format, found.fractions) == (form.box_format, form.fractions)
    assert "would be impossible" in found.note
    assert np.allclose(corners_and_sizes(boxes, found, sizes), xywh)


def test_a_few_broken_boxes_change_nothing() -> None:
    xywh, sizes = random_boxes(0, 100)
    xywh[:5, :2] += 2000
    xywh[5] = np.nan
    found = form_of(xywh, sizes, None, NONE)
    assert found.box_format == "xywh"
    assert ", and 5 so." in found.note


@pytest.mark.parametrize("form", ["xywh", "xyxy"])
def test_areas_decide_where_positions_do_not(form: HubBoxFormat) -> None:
    boxes = np.array([[10.0, 10, 40, 30]] * 4)
    sizes = np.full((4, 2), 100.0)
    area = 1200.0 if form == "xywh" else 600.0
    found = form_of(boxes, sizes, np.full(4, area), NONE)
    assert found.box_format == form
    assert "areas" in found.note or "impossible" in found.note


def test_where_nothing_decides_the_usual_form_is_taken_and_said_to_be() -> None:
    found = form_of(np.array([[10.0, 10, 40, 30]]), np.array([[100.0, 100]]), None, NONE)
    assert found.box_format == "xywh"
    assert found.note == (
        "Boxes are read as left, top, width, height, which is the usual form; the numbers could be "
        "left, top, right, bottom as well: if so, say ,box_format=xyxy"
    )


def test_a_person_decides() -> None:
    options = HubOptions(box_format="xyxy", fractions=False)
    given_ = np.array([[0.1, 0.1, 0.2, 0.2]])
    assert form_of(given_, np.array([[9.0, 9]]), None, options) == BoxForm("xyxy", fractions=False)
    half = form_of(given_, np.array([[9.0, 9]]), None, HubOptions(box_format="xyxy"))
    assert half.fractions
    assert "fractions" in half.note


def test_without_sizes_of_images_the_order_of_edges_still_tells() -> None:
    xywh, _ = random_boxes(3, 50)
    assert form_of(xywh, np.full((50, 2), np.nan), None, NONE).box_format == "xywh"


def test_no_box_is_no_question() -> None:
    assert form_of(np.zeros((0, 4)), np.zeros((0, 2)), None, NONE) == BoxForm(
        "xywh", fractions=False
    )
