"""Necks keep the promise of their levels, in the published sizes and beyond them."""

from collections.abc import Callable

import pytest
import torch
from detzoo_yolox.neck import PAFPN, YOLOFPN
from torch import nn

from plugins.yolox.tests.toys import maps_of, run, shapes_of
from zoo.contract.feature_level import FeatureLevel
from zoo.errors import ContractError


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_pafpn_takes_and_returns_any_number_of_levels(count: int) -> None:
    levels = tuple(
        FeatureLevel(channels, 4 * 2**index)
        for index, channels in enumerate((8, 12, 20, 40)[:count])
    )
    neck = PAFPN(levels=levels, depth=0.33, depthwise=True)
    maps = run(neck, maps_of(levels, height=64, width=96))
    assert neck.levels == levels
    assert [tuple(one.shape) for one in maps] == shapes_of(levels, height=64, width=96)


def test_pafpn_can_return_as_many_channels_in_every_map() -> None:
    levels = (FeatureLevel(8, 8), FeatureLevel(12, 16), FeatureLevel(20, 32))
    neck = PAFPN(levels=levels, depth=0.33, channels=16)
    maps = run(neck, maps_of(levels, height=64, width=96))
    assert neck.levels == (FeatureLevel(16, 8), FeatureLevel(16, 16), FeatureLevel(16, 32))
    assert [tuple(one.shape) for one in maps] == shapes_of(neck.levels, height=64, width=96)


@pytest.mark.parametrize("make", [PAFPN, YOLOFPN])
def test_a_neck_refuses_strides_that_do_not_double(make: Callable[..., nn.Module]) -> None:
    with pytest.raises(
        ContractError, match="strides that double from map to map, and these are 8 and 32"
    ):
        make(levels=(FeatureLevel(8, 8), FeatureLevel(8, 32)))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_yolofpn_halves_the_channels_at_each_finer_level(count: int) -> None:
    levels = tuple(
        FeatureLevel(channels, 8 * 2**index) for index, channels in enumerate((16, 24, 32)[-count:])
    )
    neck = YOLOFPN(levels=levels)
    assert [level.channels for level in neck.levels] == [8, 16, 32][-count:]
    assert [
        tuple(one.shape) for one in run(neck, maps_of(levels, height=64, width=64))
    ] == shapes_of(neck.levels, height=64, width=64)


def test_every_level_sees_every_other_through_pafpn() -> None:
    levels = (FeatureLevel(8, 8), FeatureLevel(16, 16), FeatureLevel(16, 32))
    neck = PAFPN(levels=levels).eval()
    maps = [one.requires_grad_() for one in maps_of(levels, height=64, width=64)]
    for output in neck(tuple(maps)):
        grads = torch.autograd.grad(output.sum(), maps, retain_graph=True)
        assert all(grad.abs().sum() > 0 for grad in grads)


def test_yolofpn_hands_features_down_and_never_up() -> None:
    levels = (FeatureLevel(8, 8), FeatureLevel(12, 16), FeatureLevel(16, 32))
    neck = YOLOFPN(levels=levels).eval()
    maps = [features.requires_grad_() for features in maps_of(levels, height=64, width=64)]
    for row, output in enumerate(neck(tuple(maps))):
        grads = torch.autograd.grad(output.sum(), maps, retain_graph=True, allow_unused=True)
        reached = [grad is not None and bool(grad.abs().sum() > 0) for grad in grads]
        assert reached == [column >= row for column in range(3)]
