"""Backbones, necks and head keep the promise of their levels, in the published sizes and beyond
them."""

from collections.abc import Callable

import pytest
import torch
from detzoo_yolox.backbone import CSPDarknet
from detzoo_yolox.blocks import Focus, SPPBottleneck
from detzoo_yolox.darknet import Darknet53
from detzoo_yolox.head import DecoupledHead
from detzoo_yolox.neck import PAFPN, YOLOFPN
from torch import Tensor, nn

from zoo.contract.feature_level import FeatureLevel
from zoo.errors import ContractError
from zoo.labels import LabelSpace

ONE, TWO, FOUR = ((8,), (16, 32), (4, 8, 16, 32))


def run(module: nn.Module, *inputs: object) -> tuple[Tensor, ...]:
    with torch.inference_mode():
        outputs: tuple[Tensor, ...] = module.eval()(*inputs)
    return outputs


def maps_of(levels: tuple[FeatureLevel, ...], *, height: int, width: int) -> tuple[Tensor, ...]:
    return tuple(
        torch.rand(2, level.channels, height // level.stride, width // level.stride)
        for level in levels
    )


def shapes_of(
    levels: tuple[FeatureLevel, ...], *, height: int, width: int
) -> list[tuple[int, ...]]:
    return [tuple(one.shape) for one in maps_of(levels, height=height, width=width)]


@pytest.mark.parametrize("strides", [(2,), ONE, TWO, FOUR, (8, 16, 32)])
def test_cspdarknet_returns_the_maps_its_levels_promise(strides: tuple[int, ...]) -> None:
    backbone = CSPDarknet(strides=strides, depth=0.33, width=0.125)
    maps = run(backbone, torch.rand(2, 3, 64, 96))
    assert [level.stride for level in backbone.levels] == list(strides)
    assert [tuple(one.shape) for one in maps] == shapes_of(backbone.levels, height=64, width=96)


def test_darknet53_returns_the_maps_its_levels_promise() -> None:
    with torch.device("meta"):
        backbone = Darknet53()
        maps = run(backbone, torch.rand(2, 3, 64, 96))
    assert backbone.levels == (FeatureLevel(256, 8), FeatureLevel(512, 16), FeatureLevel(512, 32))
    assert [tuple(one.shape) for one in maps] == shapes_of(backbone.levels, height=64, width=96)


def test_stages_behind_the_coarsest_wanted_map_are_not_built() -> None:
    assert [name for name, _ in CSPDarknet(strides=(8, 4), width=0.125).named_children()] == [
        "stem",
        "dark2",
        "dark3",
    ]


def test_a_stride_no_stage_has_is_refused_with_those_there_are() -> None:
    with pytest.raises(ContractError, match=r"It has none at 64\.\nChoose from 2, 4, 8, 16, 32\."):
        CSPDarknet(strides=(32, 64), width=0.125)


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


def test_the_head_lists_the_cells_of_the_finest_level_first_row_by_row(letters: LabelSpace) -> None:
    levels = (FeatureLevel(8, 8), FeatureLevel(8, 16))
    head = DecoupledHead(levels=levels, label_space=letters, channels=8).eval()
    outputs = head(maps_of(levels, height=32, width=16))
    assert tuple(outputs.values.shape) == (2, 8 + 2, 5 + 3)
    assert outputs.cells()[:3].tolist() == [[0, 0, 8], [1, 0, 8], [0, 1, 8]]
    assert outputs.cells()[-2:].tolist() == [[0, 0, 16], [0, 1, 16]]


def test_an_untrained_head_gives_everything_one_percent(letters: LabelSpace) -> None:
    levels = (FeatureLevel(8, 8),)
    head = DecoupledHead(levels=levels, label_space=letters, channels=8)
    # as a loader does that gives memory to a head built on the meta device
    for module in head.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
    biases = [conv.bias for conv in (*head.cls_preds, *head.obj_preds)]
    assert torch.allclose(torch.cat(biases).sigmoid(), torch.tensor(0.01))


def test_the_stem_stacks_the_corners_of_each_patch_column_by_column() -> None:
    stem = Focus(1, 4)
    stem.conv = nn.Identity()
    patch = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    assert stem(patch).flatten().tolist() == [1, 3, 2, 4]


def test_pyramid_pooling_sees_the_maxima_of_5_9_and_13_cells() -> None:
    block = SPPBottleneck(4, 4).eval()
    x = torch.randn(2, 4, 20, 20)
    narrow = block.conv1(x)
    published = [
        nn.functional.max_pool2d(narrow, size, stride=1, padding=size // 2) for size in (5, 9, 13)
    ]
    assert torch.equal(block(x), block.conv2(torch.cat([narrow, *published], dim=1)))
