"""Backbones and the feature pyramid keep the promise of their levels, and compute what torchvision
computes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from detzoo_torchvision import BACKBONES
from detzoo_torchvision.parts import backbones
from detzoo_torchvision.parts.backbones import Staged
from torch import nn
from torchvision import models
from torchvision.models.detection.backbone_utils import _mobilenet_extractor, _resnet_fpn_extractor

from zoo.errors import ContractError


def build(name: str, *, strides: tuple[int, ...]) -> Staged:
    make: Callable[..., Staged] = getattr(backbones, name)
    return make(strides=strides)


@pytest.mark.parametrize("strides", [(16,), (4, 8, 16, 32)])
@pytest.mark.parametrize("name", BACKBONES)
def test_a_backbone_returns_the_maps_it_declares(name: str, strides: tuple[int, ...]) -> None:
    with torch.device("meta"):
        backbone = build(name, strides=strides)
        maps = backbone(torch.rand(2, 3, 64, 96))
    assert [level.stride for level in backbone.levels] == list(strides)
    assert [tuple(one.shape) for one in maps] == [
        (2, level.channels, 64 // level.stride, 96 // level.stride) for level in backbone.levels
    ]


def test_a_resnet_is_the_body_of_torchvisions_detectors() -> None:
    theirs = _resnet_fpn_extractor(models.resnet18(weights=None), 5).body.eval()
    ours = build("resnet18", strides=(4, 8, 16, 32)).eval()
    ours.body.load_state_dict(theirs.state_dict(), strict=True)
    pixels = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        assert all(
            torch.equal(one, two)
            for one, two in zip(ours(pixels), theirs(pixels).values(), strict=True)
        )


def test_a_mobilenet_ends_where_torchvisions_detectors_end() -> None:
    theirs = _mobilenet_extractor(models.mobilenet_v3_large(weights=None), True, 6).body.eval()
    ours = build("mobilenet_v3_large", strides=(32,)).eval()
    ours.body.load_state_dict(theirs.state_dict(), strict=True)
    pixels = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        assert torch.equal(ours(pixels)[0], list(theirs(pixels).values())[-1])


def test_layers_behind_the_coarsest_wanted_map_are_not_kept() -> None:
    assert [name for name, _ in build("resnet18", strides=(8,)).body.named_children()][
        -1
    ] == "layer2"


@pytest.mark.parametrize(
    ("name", "strides", "there"),
    [("resnet18", (2, 4), "4, 8, 16, 32"), ("mobilenet_v2", (64,), "2, 4, 8, 16, 32")],
)
def test_a_stride_without_a_map_is_refused_with_those_there_are(
    name: str, strides: tuple[int, ...], there: str
) -> None:
    with torch.device("meta"), pytest.raises(ContractError, match=rf"Choose from {there}\."):
        build(name, strides=strides)


def test_every_backbone_is_registered_under_torchvisions_name() -> None:
    assert all(hasattr(models, name) and hasattr(backbones, name) for name in BACKBONES)


def test_batch_norm_stays_trainable() -> None:
    norms = [
        one for one in build("resnet18", strides=(8,)).modules() if isinstance(one, nn.BatchNorm2d)
    ]
    assert norms
    assert all(one.weight.requires_grad for one in norms)
