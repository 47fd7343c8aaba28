"""A backbone by name, through the registry, from real plugins."""

from __future__ import annotations

import pytest
import torch

from zoo.contract import FeatureLevel, backbone
from zoo.errors import ContractError, NameNotFound


def test_a_timm_network_is_found_by_its_qualified_name() -> None:
    with torch.device("meta"):
        made = backbone("timm/resnet18", strides=(8, 32))
    assert made.levels == (FeatureLevel(128, 8), FeatureLevel(512, 32))


def test_arguments_reach_the_builder() -> None:
    with torch.device("meta"):
        made = backbone("timm/resnet18", in_chans=1)
    assert next(made.parameters()).shape[1] == 1


def test_another_plugins_backbone_has_the_same_contract() -> None:
    with torch.device("meta"):
        made = backbone("yolox/cspdarknet", strides=(16, 32), width=0.25)
    assert [level.stride for level in made.levels] == [16, 32]
    maps = made(torch.zeros(1, 3, 64, 64, device="meta"))
    assert [tuple(each.shape) for each in maps] == [
        (1, level.channels, 64 // level.stride, 64 // level.stride) for level in made.levels
    ]


def test_strides_out_of_order_are_refused_with_the_order() -> None:
    with pytest.raises(ContractError, match=r"Ask for \(8, 16\), finest first"):
        backbone("timm/resnet18", strides=(16, 8))


@pytest.mark.parametrize("name", ["timm/resnet18", "yolox/cspdarknet", "torchvision/resnet18"])
def test_no_stride_at_all_is_refused_alike_by_every_plugin(name: str) -> None:
    with pytest.raises(ContractError, match=r"without strides(.|\n)*strides=\(8, 16, 32\)"):
        backbone(name, strides=())


@pytest.mark.parametrize(
    "name", ["timm/resnet18", "yolox/cspdarknet", "yolox/darknet53", "torchvision/resnet18"]
)
def test_a_stride_that_is_not_there_is_named_with_those_that_are(name: str) -> None:
    with pytest.raises(ContractError, match=r"64\D(.|\n)*4, 8, 16, 32"), torch.device("meta"):
        backbone(name, strides=(8, 64))


def test_a_name_without_a_plugin_is_not_found() -> None:
    with pytest.raises(NameNotFound, match="timm/resnet26"):
        backbone("resnet26")


def test_a_mistyped_name_has_near_ones() -> None:
    with pytest.raises(NameNotFound, match="timm/resnet18"):
        backbone("timm/resnet_18")
