"""Darknet-53, the backbone of YOLOv3, as YOLOX-Darknet53 uses it: with spatial pyramid pooling at
its end.

Redmon and Farhadi, YOLOv3: An Incremental Improvement (arXiv:1804.02767); after
`yolox/models/darknet.py` in Megvii-BaseDetection/YOLOX.
"""

from __future__ import annotations

from torch import nn

from detzoo_yolox.blocks import BaseConv, ResLayer, SPPBottleneck
from detzoo_yolox.stages import Stages
from zoo.contract.feature_level import FeatureLevel

BLOCKS = {"dark2": 2, "dark3": 8, "dark4": 8, "dark5": 4}


class Darknet53(Stages):
    """Maps at strides 2 to 32, of 64, 128, 256, 512 and again 512 channels."""

    def __init__(self, *, strides: tuple[int, ...] = (8, 16, 32)) -> None:
        stem = BaseConv(3, 32, kernel=3, activation="leaky_relu")
        stages: dict[str, tuple[nn.Module, FeatureLevel]] = {
            "stem": (nn.Sequential(stem, *_group(64, blocks=1)), FeatureLevel(64, stride=2))
        }
        for name, stride in (("dark2", 4), ("dark3", 8), ("dark4", 16)):
            channels = 32 * stride
            stages[name] = (
                nn.Sequential(*_group(channels, blocks=BLOCKS[name])),
                FeatureLevel(channels, stride),
            )
        stages["dark5"] = (
            nn.Sequential(*_group(1024, blocks=BLOCKS["dark5"]), *_pyramid_pooling(1024)),
            FeatureLevel(512, stride=32),
        )
        super().__init__(stages, strides=strides)


def _group(channels: int, *, blocks: int) -> list[nn.Module]:
    """Half the resolution, twice the channels, then residual blocks."""
    down = BaseConv(channels // 2, channels, kernel=3, stride=2, activation="leaky_relu")
    return [down, *(ResLayer(channels) for _ in range(blocks))]


def _pyramid_pooling(channels: int) -> list[nn.Module]:
    half = channels // 2
    return [
        BaseConv(channels, half, activation="leaky_relu"),
        BaseConv(half, channels, kernel=3, activation="leaky_relu"),
        SPPBottleneck(channels, half, activation="leaky_relu"),
        BaseConv(half, channels, kernel=3, activation="leaky_relu"),
        BaseConv(channels, half, activation="leaky_relu"),
    ]
