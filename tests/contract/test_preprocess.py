"""What the zoo preprocesses with is a `Preprocess`: picklable, without a network, at any size."""

import pickle

import pytest
import torch

from zoo.contract import Preprocess
from zoo.detectors.preprocess import CardPreprocess
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
