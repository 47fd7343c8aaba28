import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torchvision.ops import box_area, box_convert, clip_boxes_to_image

from zoo import boxes

# Quarters of a pixel up to 4096: sums, halves and differences are exact in float32, so that
# equality is exact.
QUARTER = st.integers(0, 16384).map(lambda value: value / 4)


@st.composite
def corners(draw: st.DrawFn) -> Tensor:
    rows = draw(st.lists(st.tuples(QUARTER, QUARTER, QUARTER, QUARTER), max_size=5))
    return torch.tensor(
        [[min(a, c), min(b, d), max(a, c), max(b, d)] for a, b, c, d in rows]
    ).reshape(-1, 4)


@given(corners())
def test_left_top_width_height_and_back(given_boxes: Tensor) -> None:
    assert torch.equal(boxes.xywh_to_xyxy(boxes.xyxy_to_xywh(given_boxes)), given_boxes)


@given(corners())
def test_centres_and_back(given_boxes: Tensor) -> None:
    assert torch.equal(boxes.cxcywh_to_xyxy(boxes.xyxy_to_cxcywh(given_boxes)), given_boxes)


@given(corners(), st.sampled_from(["xywh", "cxcywh"]))
def test_the_formats_are_torchvisions(given_boxes: Tensor, form: str) -> None:
    ours = getattr(boxes, f"xyxy_to_{form}")(given_boxes)
    assert torch.equal(ours, box_convert(given_boxes, "xyxy", form))
    assert torch.equal(getattr(boxes, f"{form}_to_xyxy")(ours), box_convert(ours, form, "xyxy"))


@given(corners())
def test_area_is_torchvisions(given_boxes: Tensor) -> None:
    assert torch.equal(boxes.area(given_boxes), box_area(given_boxes))


@given(corners())
def test_a_box_of_an_area_above_zero_has_one(given_boxes: Tensor) -> None:
    assert torch.equal(boxes.have_area(given_boxes), box_area(given_boxes) > 0)


def test_an_inverted_box_has_no_area_though_its_product_is_positive() -> None:
    assert boxes.have_area(torch.tensor([[2.0, 2.0, 1.0, 1.0]])).tolist() == [False]


@given(corners(), st.integers(1, 4096), st.integers(1, 4096))
def test_clipping_is_torchvisions(given_boxes: Tensor, height: int, width: int) -> None:
    moved = boxes.shift(given_boxes, dx=-100, dy=-50)
    assert torch.equal(
        boxes.clip(moved, height=height, width=width), clip_boxes_to_image(moved, (height, width))
    )


def test_scale_takes_x_and_y_apart() -> None:
    assert boxes.scale(torch.tensor([[1.0, 2.0, 3.0, 4.0]]), x=2, y=10).tolist() == [[2, 20, 6, 40]]


def test_shift_goes_right_and_down() -> None:
    assert boxes.shift(torch.tensor([[1.0, 2.0, 3.0, 4.0]]), dx=10, dy=-1).tolist() == [
        [11, 1, 13, 3]
    ]


def test_a_box_is_cut_at_each_edge_of_a_region() -> None:
    assert boxes.clip_to_region(torch.tensor([[0.0, 0.0, 9.0, 9.0]]), (1, 2, 3, 4)).tolist() == [
        [1, 2, 3, 4]
    ]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16])
def test_type_and_leading_dimensions_are_kept(dtype: torch.dtype) -> None:
    many = torch.tensor([[[1, 2, 3, 4], [5, 6, 7, 9]]], dtype=dtype)  # (1, 2, 4)
    for made in (
        boxes.xyxy_to_xywh(many),
        boxes.xyxy_to_cxcywh(many),
        boxes.clip(many, height=5, width=5),
        boxes.scale(many, x=2, y=2),
        boxes.shift(many, dx=1, dy=1),
    ):
        assert (made.shape, made.dtype) == (many.shape, dtype)
    assert boxes.area(many).shape == (1, 2)
