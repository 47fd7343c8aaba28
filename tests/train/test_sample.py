"""Parts of images, and where boxes are in them."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from zoo.train.sample import (
    Move,
    Sample,
    clipped,
    fit_size,
    paste,
    resize_to_fit,
    resized_part,
    window,
)

IMAGE = torch.zeros(3, 48, 64, dtype=torch.uint8)
IMAGE[:, 8:28, 10:30] = 255
MASK = torch.zeros(1, 48, 64, dtype=torch.bool)
MASK[:, 8:28, 10:30] = True
ONE = Sample(IMAGE, torch.tensor([[10.0, 8, 30, 28]]), torch.tensor([0]), MASK)


def test_a_window_is_grey_outside_of_the_image() -> None:
    result = window(ONE, -5, -5, 10, 10)
    assert result.image[0, 0, 0] == 114
    assert result.image[0, 9, 9] == 0
    assert window(ONE, 100, 100, 4, 4).image.unique().tolist() == [114]


def test_boxes_of_which_little_is_left_are_dropped() -> None:
    image = torch.zeros(3, 10, 10, dtype=torch.uint8)
    boxes = torch.tensor([[-9.0, 0, 1, 9], [-1, 0, 9, 9], [0, 0, 0.5, 9], [20, 20, 30, 30]])
    result = clipped(Sample(image, boxes, torch.arange(4)), visible=0.25)
    assert result.labels.tolist() == [1]
    assert result.boxes.tolist() == [[0, 0, 9, 9]]


def test_an_image_becomes_a_pixel() -> None:
    image = torch.full((3, 48, 64), 7, dtype=torch.uint8)
    image[2] = 9
    result = resize_to_fit(Sample(image, ONE.boxes, ONE.labels, MASK), (1, 1), 1.0)
    assert result.image.tolist() == [[[7]], [[7]], [[9]]]
    assert result.size == (1, 1)


@given(
    top=st.integers(0, 8),
    left=st.integers(0, 10),
    bottom=st.integers(28, 48),
    right=st.integers(30, 64),
    tall=st.integers(10, 90),
    wide=st.integers(10, 90),
)
def test_boxes_and_masks_are_where_the_pixels_went(
    top: int, left: int, bottom: int, right: int, tall: int, wide: int
) -> None:
    move = Move((top, left, bottom, right), (3, 5, 3 + tall, 5 + wide))
    canvas = torch.full((3, 100, 100), 114, dtype=torch.uint8)
    result = paste(canvas, ONE, move)
    assert result.size == (100, 100)
    x1, y1, x2, y2 = result.boxes[0].tolist()
    assert x2 - x1 == pytest.approx(20 * wide / (right - left), abs=1e-4)
    assert y2 - y1 == pytest.approx(20 * tall / (bottom - top), abs=1e-4)
    assert result.masks is not None
    for found in (result.masks[0], result.image[0] > 184):
        rows, columns = found.nonzero(as_tuple=True)
        edges = torch.stack([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
        assert ((edges - result.boxes[0]).abs() <= 1.5).all()
    outside = result.image.clone()
    outside[:, 3 : 3 + tall, 5 : 5 + wide] = 114
    assert (outside == 114).all()


def test_a_part_of_its_own_size_keeps_its_bits() -> None:
    part = resized_part(ONE, Move((4, 6, 40, 60), (0, 0, 36, 54)))
    assert torch.equal(part.image, IMAGE[:, 4:40, 6:60])
    assert part.boxes.tolist() == [[4, 4, 24, 24]]


def test_an_image_fits_whatever_it_is() -> None:
    assert fit_size((48, 64), (64, 64), 1.0) == (48, 64)
    assert fit_size((48, 64), (96, 640), 0.5) == (48, 64)
    assert fit_size((1, 900), (90, 90), 1.0) == (1, 90)
