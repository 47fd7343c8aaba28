"""Darknet-53 returns the maps that its levels promise, of the layers that it was published with."""

import torch
from detzoo_yolox.blocks import BaseConv, ResLayer
from detzoo_yolox.darknet import Darknet53
from detzoo_yolox.detector import build

from plugins.yolox.tests.toys import run, shapes_of
from zoo import labels
from zoo.contract.feature_level import FeatureLevel


def test_darknet53_returns_the_maps_its_levels_promise() -> None:
    with torch.device("meta"):
        backbone = Darknet53()
        maps = run(backbone, torch.rand(2, 3, 64, 96))
    assert backbone.levels == (FeatureLevel(256, 8), FeatureLevel(512, 16), FeatureLevel(512, 32))
    assert [tuple(one.shape) for one in maps] == shapes_of(backbone.levels, height=64, width=96)


def test_darknet53_is_leaky_by_a_tenth_and_the_rest_is_silu() -> None:
    with torch.device("meta"):
        darknet, csp = (
            build(label_space=labels.get("coco80"), backbone="darknet53"),
            build(label_space=labels.get("coco80")),
        )
    slopes = {one.act.negative_slope for one in darknet.modules() if isinstance(one, BaseConv)}
    assert slopes == {0.1}
    assert {type(one.act) for one in csp.modules() if isinstance(one, BaseConv)} == {torch.nn.SiLU}


def test_its_residual_blocks_are_1_2_8_8_and_4() -> None:
    with torch.device("meta"):
        backbone = Darknet53()
    counts = [
        sum(isinstance(block, ResLayer) for block in stage.children())
        for stage in backbone.children()
    ]
    assert counts == [1, 2, 8, 8, 4]


def test_it_has_53_layers_up_to_its_pooling() -> None:
    """Of the paper's table 1: 52 convolutions and the classifier, which a detector has not."""
    with torch.device("meta"):
        backbone = Darknet53()
    layers = [block for block in backbone.modules() if isinstance(block, BaseConv)]
    pooling = [block for block in backbone.dark5[5:].modules() if isinstance(block, BaseConv)]
    assert len(layers) - len(pooling) == 52
