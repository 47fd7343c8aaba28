"""Images become what a card's `Input` says."""

import pickle

import pytest
import torch
import torchvision
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2.functional import resize

from zoo.contract.batch import Batch
from zoo.detectors.preprocess import CardPreprocess, Size, canvas, resized
from zoo.registry.card import Input

LETTERBOX = Input(resize="letterbox", size=[60, 100])
FIXED = Input(resize="fixed", size=[60, 100])
SHORTEST = Input(resize="shortest_edge", size=[60, 100])
# Older torchvision resizes bytes as floats on some processors, and rounds them itself.
ROUNDING = 0 if tuple(map(int, torchvision.__version__.split(".")[:2])) >= (0, 26) else 1
sides = st.integers(1, 3000)


def run(images: list[Tensor], rule: Input, *, step: int = 1) -> Batch:
    return CardPreprocess(rule, step)(images)


def plain(height: int, width: int, *, color: tuple[int, int, int] = (10, 100, 200)) -> Tensor:
    return torch.tensor(color, dtype=torch.uint8)[:, None, None].expand(3, height, width)


@given(sides, sides)
def test_letterbox_keeps_the_aspect_and_fills_one_side(height: int, width: int) -> None:
    size = resized(Size(height, width), LETTERBOX)
    assert size.height <= 60
    assert size.width <= 100
    assert size.height == 60 or size.width == 100
    scale = min(60 / height, 100 / width)
    assert abs(size.height - max(height * scale, 1)) <= 0.5
    assert abs(size.width - max(width * scale, 1)) <= 0.5


@given(sides, sides)
def test_the_shortest_edge_is_what_was_asked_unless_the_longest_would_be_too_long(
    height: int, width: int
) -> None:
    size = resized(Size(height, width), SHORTEST)
    assert max(size.height, size.width) <= 100
    assert min(size.height, size.width) == 60 or max(size.height, size.width) == 100


@given(sides, sides)
def test_fixed_stretches(height: int, width: int) -> None:
    assert resized(Size(height, width), FIXED) == Size(60, 100)


@given(
    st.lists(st.tuples(sides, sides), min_size=1, max_size=4),
    st.sampled_from([LETTERBOX, FIXED, SHORTEST]),
)
def test_the_canvas_holds_every_image_and_is_a_multiple_of_the_step(
    images: list[tuple[int, int]], rule: Input
) -> None:
    sizes = [Size(*image) for image in images]
    whole = canvas(sizes, rule, step=32)
    assert whole.height % 32 == whole.width % 32 == 0
    assert all(
        resized(one, rule).height <= whole.height and resized(one, rule).width <= whole.width
        for one in sizes
    )


@pytest.mark.parametrize("rule", [LETTERBOX, FIXED, SHORTEST])
def test_a_box_finds_its_way_back(rule: Input) -> None:
    image = torch.zeros(3, 120, 150, dtype=torch.uint8)
    image[:, 30:90, 60:120] = 255
    batch = run([image], rule, step=32)
    ys, xs = (batch.pixels[0, 0] > 0.5).nonzero(as_tuple=True)
    lit = torch.tensor([[xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]], dtype=torch.float32)
    assert torch.allclose(
        batch.transforms[0].to_original(lit), torch.tensor([[60.0, 30, 120, 90]]), atol=2
    )


def test_values_are_normalised_in_the_networks_channel_order() -> None:
    rule = Input(
        resize="fixed", size=[4, 4], mean=[0.1, 0.2, 0.3], std=[0.5, 0.25, 1.0], channels="bgr"
    )
    pixels = run([plain(4, 4)], rule).pixels[0, :, 0, 0]
    expected = [(200 / 255 - 0.1) / 0.5, (100 / 255 - 0.2) / 0.25, (10 / 255 - 0.3) / 1.0]
    assert torch.allclose(pixels, torch.tensor(expected), atol=1e-6)


def test_a_range_of_255_leaves_bytes_as_they_are() -> None:
    assert run([plain(4, 4)], Input(resize="fixed", size=[4, 4], range=255)).pixels[
        0, :, 0, 0
    ].tolist() == [10, 100, 200]


def test_padding_is_a_value_of_the_networks_input() -> None:
    rule = Input(resize="letterbox", size=[8, 8], mean=[0.5] * 3, std=[0.5] * 3, padding=0.25)
    pixels = run([plain(4, 8)], rule).pixels[0]
    assert (pixels[:, 4:] == 0.25).all()
    assert (pixels[:, :4] != 0.25).all()


def test_images_of_several_sizes_share_a_canvas_without_touching_it_elsewhere() -> None:
    batch = run([plain(50, 50), plain(60, 100)], SHORTEST, step=32)
    assert tuple(batch.pixels.shape) == (2, 3, 64, 128)
    assert (batch.pixels[0, :, :60, :60] > 0).all()
    assert (batch.pixels[0, :, :, 60:] == 0).all()


def test_an_image_is_not_changed() -> None:
    image = torch.randint(0, 256, (3, 30, 40), dtype=torch.uint8)
    before = image.clone()
    run([image], LETTERBOX)
    assert torch.equal(image, before)


def test_shrinking_averages_what_it_drops() -> None:
    stripes = torch.zeros(3, 64, 64, dtype=torch.uint8)
    stripes[:, :, ::2] = 200
    pixels = run([stripes], Input(resize="fixed", size=[8, 8], range=255)).pixels
    assert (pixels - 100).abs().max() < 15


@pytest.mark.parametrize("size", [(31, 40), (150, 200)], ids=["smaller", "larger"])
@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic", "nearest", "nearest-exact"])
def test_resizes_as_torchvision_does(
    interpolation: str, antialias: bool, size: tuple[int, int]
) -> None:
    rule = Input(
        resize="fixed",
        size=list(size),
        range=255,
        interpolation=interpolation,  # type: ignore[arg-type]
        antialias=antialias,
    )
    noise = torch.randint(0, 256, (3, 97, 133), dtype=torch.uint8)
    expected = resize(noise, list(size), InterpolationMode(interpolation), antialias=antialias)
    difference = run([noise], rule).pixels[0] - expected.float()
    assert difference.abs().max() <= ROUNDING


def test_a_preprocess_survives_pickling_and_says_its_size() -> None:
    preprocess = CardPreprocess(SHORTEST, step=32)
    assert pickle.loads(pickle.dumps(preprocess)) == preprocess
    assert preprocess.size == (60, 100)
    assert preprocess.input_size(60, 100) == (64, 128)


def test_another_size_changes_nothing_else() -> None:
    preprocess = CardPreprocess(SHORTEST, step=32).at((120, 200))
    assert preprocess == CardPreprocess(Input(resize="shortest_edge", size=[120, 200]), step=32)
