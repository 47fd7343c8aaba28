"""CSPDarknet returns the maps that its levels promise, in any size."""

import pytest
import torch
from detzoo_yolox.backbone import CSPDarknet
from detzoo_yolox.blocks import SPPBottleneck

from plugins.yolox.tests.toys import run, shapes_of

ONE, TWO, FOUR = ((8,), (16, 32), (4, 8, 16, 32))


@pytest.mark.parametrize("strides", [(2,), ONE, TWO, FOUR, (8, 16, 32)])
def test_cspdarknet_returns_the_maps_its_levels_promise(strides: tuple[int, ...]) -> None:
    backbone = CSPDarknet(strides=strides, depth=0.33, width=0.125)
    maps = run(backbone, torch.rand(2, 3, 64, 96))
    assert [level.stride for level in backbone.levels] == list(strides)
    assert [tuple(one.shape) for one in maps] == shapes_of(backbone.levels, height=64, width=96)


@pytest.mark.parametrize(("depth", "bottlenecks"), [(0.33, [1, 3, 3, 1]), (1.0, [3, 9, 9, 3])])
def test_depth_counts_the_bottlenecks_of_each_stage(depth: float, bottlenecks: list[int]) -> None:
    with torch.device("meta"):
        backbone = CSPDarknet(depth=depth, width=0.125)
    stages = (backbone.dark2, backbone.dark3, backbone.dark4, backbone.dark5)
    assert [len(stage[-1].m) for stage in stages] == bottlenecks


def test_only_the_last_stage_pools_and_has_no_shortcuts() -> None:
    with torch.device("meta"):
        backbone = CSPDarknet(depth=0.33, width=0.125)
    stages = (backbone.dark2, backbone.dark3, backbone.dark4, backbone.dark5)
    pools = [any(isinstance(block, SPPBottleneck) for block in stage) for stage in stages]
    assert pools == [False, False, False, True]
    assert [stage[-1].m[0].shortcut for stage in stages] == [True, True, True, False]
