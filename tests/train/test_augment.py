"""Augmented boxes stay on their objects, and the random numbers are of the image alone."""

from collections.abc import Sequence

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from zoo.train.augment import Context, augment, copy_paste, draw_of
from zoo.train.recipe import Augmentation, Color, CopyPaste, Crop, Flip, Mixup, Mosaic, Zoom
from zoo.train.sample import Sample, hulls

EVERY: list[Augmentation] = [
    Flip(probability=1),
    Zoom(),
    Crop(probability=1),
    Color(),
    Mosaic(probability=1),
    Mixup(probability=1),
    CopyPaste(probability=1),
]
WHITE = 255


def sample(height: int, width: int, boxes: Sequence[Sequence[int]]) -> Sample:
    """Black, with a white rectangle where each box is."""
    image = torch.zeros(3, height, width, dtype=torch.uint8)
    for x1, y1, x2, y2 in boxes:
        image[:, y1:y2, x1:x2] = WHITE
    masks = torch.zeros(len(boxes), height, width, dtype=torch.bool)
    for mask, (x1, y1, x2, y2) in zip(masks, boxes, strict=True):
        mask[y1:y2, x1:x2] = True
    tensor = torch.tensor(boxes, dtype=torch.float32).view(-1, 4)
    return Sample(image, tensor, torch.zeros(len(boxes), dtype=torch.int64), masks)


ONE = sample(48, 64, [[10, 8, 30, 28]])
CONTEXT = Context(lambda row: ONE, 1, (64, 64))


def brightness(result: Sample, box: Tensor) -> float:
    """The mean inside of a box, without its edge."""
    x1, y1, x2, y2 = [round(edge) for edge in box.tolist()]
    inside = result.image[:, y1 + 1 : y2 - 1, x1 + 1 : x2 - 1]
    return float(inside.float().mean()) if inside.numel() else WHITE


@pytest.mark.parametrize("step", EVERY, ids=lambda step: type(step).__name__)
@given(seed=st.integers(0, 10_000))
def test_a_box_stays_on_its_object(step: Augmentation, seed: int) -> None:
    result = augment(ONE, [step], draw_of(seed), CONTEXT)
    assert result.image.dtype == torch.uint8
    height, width = result.size
    for box in result.boxes:
        assert (box >= 0).all()
        assert box[2] <= width
        assert box[3] <= height
        least = 0.3 if isinstance(step, Mixup) else 0.45  # half of it is another image's
        assert brightness(result, box) > least * WHITE
    assert len(result.boxes) == len(result.labels)
    assert result.masks is not None
    assert result.masks.shape == (len(result.labels), *result.size)
    for box, mask in zip(result.boxes, result.masks, strict=True):
        assert (hulls(mask[None])[0] - box).abs().max() <= 1.5


@pytest.mark.parametrize("step", EVERY, ids=lambda step: type(step).__name__)
def test_an_image_without_objects_stays_one(step: Augmentation) -> None:
    empty = sample(30, 20, [])
    context = Context(lambda row: empty, 1, (32, 32))
    for seed in range(20):
        result = augment(empty, [step], draw_of(seed), context)
        assert result.boxes.shape == (0, 4)
        assert min(result.size) >= 1


@given(
    seed=st.integers(0, 10_000),
    boxes=st.lists(
        st.tuples(st.integers(0, 30), st.integers(0, 20), st.integers(1, 30), st.integers(1, 20))
    ),
)
def test_a_crop_keeps_every_box_whole(seed: int, boxes: list[tuple[int, int, int, int]]) -> None:
    whole = sample(48, 64, [[x, y, x + wide, y + tall] for x, y, wide, tall in boxes])
    result = augment(whole, [Crop(probability=1)], draw_of(seed), CONTEXT)
    assert torch.equal(
        result.boxes[:, 2:] - result.boxes[:, :2], whole.boxes[:, 2:] - whole.boxes[:, :2]
    )
    height, width = result.size
    assert (result.boxes >= 0).all()
    assert (result.boxes <= torch.tensor([width, height, width, height])).all()
    if not boxes:
        assert height >= 0.3 * 48 - 1


def test_flipping_twice_changes_nothing() -> None:
    result = augment(ONE, [Flip(probability=1)] * 2, draw_of(0), CONTEXT)
    assert torch.equal(result.image, ONE.image)
    assert torch.equal(result.boxes, ONE.boxes)


def test_a_mosaic_is_as_large_as_the_input_and_holds_objects_of_several_images() -> None:
    counts = []
    for seed in range(30):
        result = augment(ONE, [Mosaic(probability=1)], draw_of(seed), CONTEXT)
        assert result.size == (64, 64)
        counts.append(len(result.boxes))
    assert max(counts) > 2


def test_mixup_has_the_boxes_of_both() -> None:
    result = augment(ONE, [Mixup(probability=1)], draw_of(0), CONTEXT)
    assert result.boxes.tolist() == [[10, 8, 30, 28]] * 2


def test_a_chance_of_nothing_does_nothing() -> None:
    assert augment(ONE, [Flip(probability=0)], draw_of(1), CONTEXT) is ONE


@given(seed=st.integers(0, 10_000), side=st.integers(8, 90))
def test_a_zoom_has_the_size_of_the_network_where_that_is_smaller(seed: int, side: int) -> None:
    def fit(height: int, width: int) -> tuple[int, int]:
        scale = side / max(height, width)
        return max(1, round(height * scale)), max(1, round(width * scale))

    plain = augment(ONE, [Zoom()], draw_of(seed), CONTEXT)
    result = augment(ONE, [Zoom()], draw_of(seed), Context(CONTEXT.load, 1, (64, 64), fit))
    assert result.size == min(plain.size, fit(*plain.size))
    assert len(result.boxes) == len(plain.boxes)  # whichever is dropped
    scale = torch.tensor([result.size[1] / plain.size[1], result.size[0] / plain.size[0]] * 2)
    assert ((result.boxes - plain.boxes * scale).abs() <= 1).all()
    for box in result.boxes:
        assert (box >= 0).all()
        assert brightness(result, box) > 0.45 * WHITE
    if result.size == plain.size:
        assert torch.equal(result.image, plain.image)


def test_random_numbers_are_of_their_key() -> None:
    assert draw_of(0, 1, "a").random() == draw_of(0, 1, "a").random()
    keys = [(0, 1, "1"), (0, 1, 1), (1, 0, 1), (0, 11), (0, 1, 1, 0)]
    assert len({draw_of(*key).random() for key in keys}) == len(keys)


PASTE = CopyPaste(factors=(1, 1), objects=1, probability=1)


def pasted(below: Sample, above: Sample, seed: int, step: CopyPaste = PASTE) -> Sample:
    """Objects of the second over the first, which is as large."""
    return copy_paste(below, step, draw_of(seed), Context(lambda row: above, 1, below.size))


def marked(whole: Sample, value: int) -> Sample:
    """The same with that label, and objects of that colour."""
    image = torch.where(whole.image > 0, value, whole.image)
    return Sample(image, whole.boxes, whole.labels + value, whole.masks)


@pytest.mark.parametrize("seed", range(6))
def test_pasted_pixels_hide_what_is_below_and_boxes_follow_what_is_left(seed: int) -> None:
    below = marked(sample(40, 40, [[4, 10, 24, 30], [30, 2, 38, 8], [16, 31, 26, 39]]), 7)
    above = marked(sample(40, 40, [[14, 5, 26, 32]]), 9)
    result = pasted(below, above, seed)
    assert result.masks is not None
    across = slice(14, 26)  # flipped it is in the same place
    expected = below.image.clone()
    expected[:, 5:32, across] = 9
    assert torch.equal(result.image, expected)
    assert result.labels.tolist() == [7, 7, 7, 9]
    assert result.boxes.tolist() == [
        [4, 10, 14, 30],
        [30, 2, 38, 8],
        [16, 32, 26, 39],
        [14, 5, 26, 32],
    ]
    for box, mask in zip(result.boxes.int().tolist(), result.masks, strict=True):
        exact = torch.zeros(40, 40, dtype=torch.bool)
        exact[box[1] : box[3], box[0] : box[2]] = True
        assert torch.equal(mask, exact)


def test_hidden_objects_are_dropped_and_others_keep_the_boxes_they_had() -> None:
    below = sample(40, 40, [[10, 10, 30, 30], [1, 1, 5, 5]])
    exact = below.boxes + torch.tensor([0.25, 0.25, -0.25, -0.25])  # as annotations have them
    below = Sample(below.image, exact, below.labels, below.masks)
    result = pasted(below, sample(40, 40, [[8, 8, 32, 26]]), 0)
    assert result.boxes.tolist() == [[1.25, 1.25, 4.75, 4.75], [8, 8, 32, 26]]


def test_objects_without_a_mask_are_not_pasted_and_stay_until_they_are_hidden() -> None:
    unknown = sample(40, 40, [[10, 10, 30, 30], [2, 2, 38, 12]])
    assert unknown.masks is not None
    unknown.masks[0] = False
    result = pasted(unknown, sample(40, 40, [[8, 8, 32, 26]]), 0)
    assert result.boxes.tolist() == [[2, 2, 38, 12], [8, 8, 32, 26]]
    assert pasted(unknown, unknown, 0).boxes.tolist() == unknown.boxes.tolist()
    plain = Sample(unknown.image, unknown.boxes, unknown.labels)
    assert pasted(plain, plain, 0) is plain


def test_a_chance_of_no_object_pastes_none() -> None:
    result = pasted(ONE, ONE, 0, CopyPaste(objects=0))
    assert torch.equal(result.image, ONE.image)
    assert torch.equal(result.boxes, ONE.boxes)
