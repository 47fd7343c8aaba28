"""The moving average of weights: its arithmetic, and the network as it was afterwards."""

import math

import pytest
import torch
from torch import nn

from zoo.train.ema import Average
from zoo.train.recipe import EMA


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2))


def test_it_is_the_average_that_it_says() -> None:
    net, plan = network(), EMA(decay=0.9, ramp_steps=4)
    average, expected = Average(net, plan), net[0].weight.detach().clone()
    for step in (1, 2, 3):
        with torch.no_grad():
            net[0].weight.add_(1.0)
            net[1].num_batches_tracked.add_(1)  # type: ignore[operator, union-attr]
        average.update(net, step)
        share = 0.9 * (1 - math.exp(-step / 4))
        expected = share * expected + (1 - share) * net[0].weight.detach()
    torch.testing.assert_close(average.tensors["0.weight"], expected)
    assert average.tensors["1.num_batches_tracked"] == 3


def test_it_is_inside_for_a_block_and_the_weights_are_back_afterwards() -> None:
    net = network()
    average = Average(net, EMA())
    before = {name: value.clone() for name, value in net.state_dict().items()}
    average.tensors["0.weight"].fill_(7.0)

    def fail() -> None:
        with average.inside(net):
            assert (net[0].weight == 7).all()
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_it_does_not_share_memory_with_the_network() -> None:
    net = network()
    average = Average(net, EMA())
    with torch.no_grad():
        net[0].weight.fill_(3.0)
    assert not (average.tensors["0.weight"] == 3).all()
