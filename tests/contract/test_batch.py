"""A `Preprocess` is picklable, without a network, at any size; a batch moves as a whole; boxes come
back to where they were."""

import pickle
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from zoo.contract import Batch, InputTransform, Preprocess, check_pixels
from zoo.detectors.preprocess import CardPreprocess
from zoo.errors import ContractError, ImageError
from zoo.registry.card import Input
from zoo.testing.toy import Stretch

EVERY: list[Preprocess] = [
    Stretch(),
    CardPreprocess(Input(resize="letterbox", size=[64, 64]), step=32),
    CardPreprocess(Input(resize="shortest_edge", size=[48, 96])),
]
IMAGE = torch.randint(0, 256, (3, 40, 50), dtype=torch.uint8)


@pytest.mark.parametrize("preprocess", EVERY)
def test_it_makes_the_same_batch_after_pickling(preprocess: Preprocess) -> None:
    other: Preprocess = pickle.loads(pickle.dumps(preprocess))
    assert other == preprocess
    assert torch.equal(other([IMAGE]).pixels, preprocess([IMAGE]).pixels)


@pytest.mark.parametrize("preprocess", EVERY)
def test_a_batch_has_the_input_size_and_the_type_that_was_asked_for(
    preprocess: Preprocess,
) -> None:
    batch = preprocess([IMAGE], dtype=torch.float64)
    assert tuple(batch.pixels.shape[2:]) == preprocess.input_size(40, 50)
    assert batch.pixels.dtype == torch.float64


@pytest.mark.parametrize("preprocess", EVERY)
def test_another_size_leaves_the_first_as_it_is(preprocess: Preprocess) -> None:
    size = preprocess.size
    assert preprocess.at((128, 160)).size == (128, 160)
    assert preprocess.size == size


GOOD = torch.zeros(3, 4, 5, dtype=torch.uint8)


def test_uint8_images_of_any_sizes_pass() -> None:
    check_pixels([GOOD, torch.zeros(3, 1, 1, dtype=torch.uint8)])


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (np.zeros((4, 5, 3), np.uint8), "It is a ndarray"),
        (torch.zeros(3, 4, 5), r"torch\.float32, \(3, 4, 5\)"),
        (torch.zeros(4, 5, 3, dtype=torch.uint8), r"torch\.uint8, \(4, 5, 3\)"),
        (torch.zeros(3, 0, 5, dtype=torch.uint8), r"\(3, 0, 5\)"),
    ],
)
def test_another_thing_is_named_by_its_position(image: object, said: str) -> None:
    with pytest.raises(ImageError, match=f"image 1.*\n.*{said}.*\n.*uint8 RGB"):
        check_pixels([GOOD, image])  # type: ignore[list-item]


def test_one_tensor_is_told_to_come_in_a_list() -> None:
    with pytest.raises(ImageError, match=r"Pass a list: preprocess\(\[image\]\)"):
        check_pixels(GOOD)  # type: ignore[arg-type]


def test_how_floats_become_what_is_wanted_is_said() -> None:
    values = torch.tensor([0, 1, 127, 254, 255], dtype=torch.uint8).expand(3, 4, 5)
    image = values / 255
    with pytest.raises(ImageError) as raised:
        check_pixels([image])
    said = raised.value.fix.partition("Of floats in [0, 1]: ")[2]
    converted = eval(said, {"torch": torch, "image": image})
    check_pixels([converted])
    assert torch.equal(converted, values)


SIZES = st.integers(20, 300)
SHARES = st.floats(0, 0.4)


@given(SIZES, SIZES, st.floats(0.25, 4), SHARES, SHARES, st.floats(0, 50), st.booleans())
def test_a_box_inside_of_the_crop_comes_back(
    height: int, width: int, scale: float, down: float, across: float, padding: float, flip: bool
) -> None:
    transform = InputTransform(
        height,
        width,
        scale_y=scale,
        scale_x=scale / 2,
        top=padding,
        left=padding / 2,
        crop_top=down * height,
        crop_left=across * width,
        flipped=flip,
    )
    box = torch.tensor([[0.5 * width, 0.5 * height, 0.75 * width, 0.9 * height]])
    assert transform.to_original(transform.to_input(box)).tolist()[0] == pytest.approx(
        box.tolist()[0], abs=0.01
    )


def test_flipped_cropped_scaled_and_padded_in_this_order() -> None:
    transform = InputTransform(
        40, 100, scale_y=2.0, scale_x=2.0, top=3.0, left=5.0, crop_left=10.0, flipped=True
    )
    assert transform.to_input(torch.tensor([[20.0, 4.0, 30.0, 8.0]])).tolist() == [
        [125.0, 11.0, 145.0, 19.0]
    ]


@dataclass(frozen=True)
class Masked(Batch):
    mask: Tensor | None = None


def test_every_tensor_moves_and_only_floats_change_their_type() -> None:
    transform = InputTransform(8, 8, scale_y=1.0, scale_x=1.0)
    extras = {"weights": torch.ones(1, 4), "rows": torch.arange(3)}
    batch = Masked(
        torch.zeros(1, 3, 8, 8), (transform,), extras, torch.ones(1, 8, 8, dtype=torch.bool)
    )
    there = batch.to("meta", torch.float16)
    assert isinstance(there, Masked)
    assert there.mask is not None
    tensors = [there.pixels, there.extras["weights"], there.extras["rows"], there.mask]
    assert [one.device.type for one in tensors] == ["meta"] * 4
    assert [one.dtype for one in tensors] == [
        torch.float16,
        torch.float16,
        torch.int64,
        torch.bool,
    ]
    assert there.transforms == batch.transforms


class Pair(NamedTuple):
    low: Tensor
    name: str


@dataclass(frozen=True)
class Nested(Batch):
    levels: object = None


def test_tensors_move_in_tuples_lists_and_mappings_of_any_depth() -> None:
    transform = InputTransform(8, 8, scale_y=1.0, scale_x=1.0)
    ones = torch.ones(1)
    levels = ([ones, "a"], (ones, {"deep": [Pair(ones, "b")]}), 7)
    moved = Nested(torch.zeros(1, 3, 8, 8), (transform,), {}, levels).to("meta")
    [first, letter], (second, mapping), number = moved.levels  # type: ignore[misc]
    [pair] = mapping["deep"]
    assert [tensor.device.type for tensor in (first, second, pair.low)] == ["meta"] * 3
    assert (letter, number, pair.name, type(pair)) == ("a", 7, "b", Pair)


def batch_at(scale: float) -> Batch:
    transform = InputTransform(8, 8, scale_y=scale, scale_x=scale)
    return Batch(torch.rand(1, 3, 8, 8), (transform,), {"mask": torch.ones(1, 8, 8)})


class Sum(nn.Module):
    """Adds pixels and mask, and, if it reads transforms, a scale."""

    def __init__(self, *, reads_transforms: bool = False) -> None:
        super().__init__()
        self.reads_transforms = reads_transforms

    def forward(self, batch: Batch) -> Tensor:
        added = batch.pixels + batch.extras["mask"]
        return added * batch.transforms[0].scale_x if self.reads_transforms else added


def test_its_leaves_are_its_tensors_and_its_transforms_come_back() -> None:
    batch = batch_at(2.0)
    leaves, spec = pytree.tree_flatten(batch)
    assert [leaf.shape for leaf in leaves] == [(1, 3, 8, 8), (1, 8, 8)]
    again = pytree.tree_unflatten(leaves, spec)
    assert again.transforms == batch.transforms
    assert again.extras["mask"] is batch.extras["mask"]
    assert spec == pytree.tree_flatten(batch_at(1.0))[1]


def test_an_exported_program_takes_a_batch_of_images_that_lie_elsewhere() -> None:
    program = torch.export.export(Sum(), (batch_at(1.0),), strict=False).module()
    other = batch_at(2.0)
    assert torch.equal(program(other), other.pixels + 1)


def test_a_network_that_reads_transforms_is_not_exported() -> None:
    network, batch = Sum(reads_transforms=True), batch_at(2.0)
    assert torch.equal(network(batch), 2 * (batch.pixels + 1))
    with pytest.raises(ContractError, match=r"read `batch\.transforms` while it was exported"):
        torch.export.export(network, (batch,), strict=False)


def test_its_length_is_that_of_its_pixels() -> None:
    assert len(Batch(torch.zeros(2, 3, 8, 8), ())) == 2
