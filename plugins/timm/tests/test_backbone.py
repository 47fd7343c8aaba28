"""timm networks as backbones: the right maps, whatever index timm gives them."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy

import pytest
import timm
import torch
from detzoo_timm.backbone import TimmBackbone, build
from timm.models import _registry
from torch import nn

from zoo.contract import FeatureLevel
from zoo.errors import ContractError, NameNotFound

# Stages that start at stride 1, 2 and 4, and maps with channels last: a stage's number says nothing
# of its stride.
COVERING = {
    "resnet18": ((64, 4), (128, 8), (256, 16), (512, 32)),
    "convnext_atto": ((40, 4), (80, 8), (160, 16), (320, 32)),
    "vgg11": ((256, 4), (512, 8), (512, 16), (512, 32)),
    "darknet53": ((128, 4), (256, 8), (512, 16), (1024, 32)),
    "mobilenetv3_small_050": ((8, 4), (16, 8), (24, 16), (288, 32)),
    "efficientnet_lite0": ((24, 4), (40, 8), (112, 16), (320, 32)),
    "dla34": ((64, 4), (128, 8), (256, 16), (512, 32)),
    "hrnet_w18_small": ((128, 4), (256, 8), (512, 16), (1024, 32)),
    "swin_tiny_patch4_window7_224": ((96, 4), (192, 8), (384, 16), (768, 32)),
}


def on_meta(name: str, **arguments: object) -> TimmBackbone:
    with torch.device("meta"):
        return build(name, **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "pairs"), COVERING.items())
def test_maps_have_the_channels_and_strides_they_say(
    name: str, pairs: tuple[tuple[int, int], ...]
) -> None:
    backbone = on_meta(name, strides=(4, 8, 16, 32))
    assert backbone.levels == tuple(FeatureLevel(*pair) for pair in pairs)
    maps = backbone(torch.empty(1, 3, 224, 224, device="meta"))
    assert [tuple(each.shape) for each in maps] == [
        (1, channels, 224 // stride, 224 // stride) for channels, stride in pairs
    ]


def test_only_the_strides_asked_for_are_computed() -> None:
    assert on_meta("resnet18", strides=(16,)).levels == (FeatureLevel(256, 16),)
    few, all_of_it = (
        sum(one.numel() for one in on_meta("resnet18", strides=strides).parameters())
        for strides in ((8,), (32,))
    )
    assert few < all_of_it / 10


def test_of_several_maps_at_one_stride_the_deepest_is_taken() -> None:
    backbone = on_meta("test_vit", strides=(16,))
    assert backbone.levels == (FeatureLevel(64, 16),)
    assert backbone.body.out_indices == [5]


def test_a_stride_it_has_not_is_refused_with_those_it_has() -> None:
    with pytest.raises(ContractError, match=r"no map at stride 2, 64; it has 4, 8, 16, 32\."):
        build("convnext_atto", strides=(2, 8, 64))


@pytest.fixture
def own_network() -> Iterator[None]:
    """timm forgets what a test registers."""
    before = {
        name: copy(value)
        for name, value in vars(_registry).items()
        if isinstance(value, dict | set)
    }
    yield
    for name, value in before.items():
        setattr(_registry, name, value)


def test_a_network_without_feature_maps_is_refused_with_the_reason(own_network: None) -> None:
    @timm.models.register_model
    def without_maps(pretrained: bool = False, **options: object) -> nn.Module:
        return nn.Linear(3, 3)

    with pytest.raises(
        ContractError, match=r"timm does not take feature maps from it: .*feature_info"
    ):
        build("without_maps")


def test_an_unknown_name_has_near_ones() -> None:
    with pytest.raises(NameNotFound, match=r"Did you mean .*'timm/resnet50'"):
        build("resnet_50")


def test_nonsense_gets_told_where_the_names_are() -> None:
    with pytest.raises(NameNotFound, match=r"timm\.list_models"):
        build("qqqqqqqqqq")


def test_a_name_with_timms_tag_is_the_same_network() -> None:
    assert on_meta("resnet18.a1_in1k").levels == on_meta("resnet18").levels


def test_other_channels_of_input_can_be_asked_for() -> None:
    backbone = build("resnet18", strides=(8,), in_chans=4).eval()
    assert backbone(torch.rand(1, 4, 32, 32))[0].shape == (1, 128, 4, 4)


@pytest.mark.parametrize("name", ["resnet18", "swin_tiny_patch4_window7_224", "levit_128s"])
def test_built_on_the_meta_device_and_filled_it_equals_one_built_where_it_runs(name: str) -> None:
    strides = (16, 32)
    here, filled = build(name, strides=strides).eval(), on_meta(name, strides=strides).eval()
    filled.load_state_dict(here.state_dict(), assign=True)
    assert not [key for key, buffer in filled.named_buffers() if buffer.is_meta]
    image = torch.rand(1, 3, 224, 224)
    with torch.no_grad():
        assert all(
            torch.equal(one, other) for one, other in zip(here(image), filled(image), strict=True)
        )


def test_gradients_reach_the_stem() -> None:
    backbone = build("resnet18", strides=(8,))
    backbone(torch.rand(1, 3, 32, 32))[0].sum().backward()
    gradient = next(backbone.parameters()).grad
    assert gradient is not None
    assert gradient.abs().sum() > 0
