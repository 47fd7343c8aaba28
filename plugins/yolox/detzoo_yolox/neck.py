"""The two necks: YOLOX's path aggregation pyramid, and the top-down pyramid of YOLOv3 that
YOLOX-Darknet53 keeps.

After `yolox/models/yolo_pafpn.py` and `yolo_fpn.py` in Megvii-BaseDetection/YOLOX, there for three
levels, here for any number.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from detzoo_yolox.blocks import BaseConv, CSPLayer, spatial_conv
from zoo.contract import Count, FeatureLevel, LevelRequirements


class PAFPN(nn.Module):
    """Coarse maps are merged downwards into finer ones, then those upwards again (Liu et al.,
    PANet, arXiv:1803.01534).

    levels:    what it takes, finest first, each stride twice the one before; it returns the same
               strides.
    depth:     a factor on the three bottlenecks of each merge.
    depthwise: 3x3 convolutions split into depthwise and pointwise.
    channels:  of every map it returns, for heads that want them equal; None returns as many as it
        was given.
    """

    def __init__(
        self,
        *,
        levels: tuple[FeatureLevel, ...],
        depth: float = 1.0,
        depthwise: bool = False,
        channels: Count | None = None,
    ) -> None:
        super().__init__()
        LevelRequirements(doubling=True).check(levels, part="pafpn")
        self.levels = (
            levels
            if channels is None
            else tuple(FeatureLevel(channels, level.stride) for level in levels)
        )
        blocks = max(round(3 * depth), 1)
        steps = list(pairwise(level.channels for level in levels))  # (finer, coarser)
        self.lateral = nn.ModuleList(BaseConv(coarse, fine) for fine, coarse in steps)
        self.down = nn.ModuleList(_merge(fine, fine, blocks, depthwise) for fine, _ in steps)
        self.shrink = nn.ModuleList(
            spatial_conv(fine, fine, stride=2, depthwise=depthwise) for fine, _ in steps
        )
        self.up = nn.ModuleList(_merge(fine, coarse, blocks, depthwise) for fine, coarse in steps)
        self.out = nn.ModuleList(BaseConv(level.channels, channels) for level in levels if channels)

    def forward(self, maps: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """One `(b, channels, h, w)` a level, finest first, to the same shapes."""
        merged, laterals = maps[-1], []
        for lateral, down, finer in zip(
            reversed(self.lateral), reversed(self.down), maps[-2::-1], strict=True
        ):
            laterals.append(lateral(merged))
            merged = down(_upsample_and_concatenate(laterals[-1], finer))
        outputs = [merged]
        for shrink, up, coarser in zip(self.shrink, self.up, reversed(laterals), strict=True):
            outputs.append(up(torch.cat([shrink(outputs[-1]), coarser], dim=1)))
        return (
            tuple(out(features) for out, features in zip(self.out, outputs, strict=True))
            if self.out
            else tuple(outputs)
        )


def _merge(half: int, outputs: int, blocks: int, depthwise: bool) -> CSPLayer:
    """Two maps of `half` channels each, concatenated, to one of `outputs`."""
    return CSPLayer(2 * half, outputs, blocks=blocks, shortcut=False, depthwise=depthwise)


class YOLOFPN(nn.Module):
    """Coarse maps are merged downwards into finer ones, with half the channels at each step.

    levels: what it takes, finest first, each stride twice the one before.
    """

    def __init__(self, *, levels: tuple[FeatureLevel, ...]) -> None:
        super().__init__()
        LevelRequirements(doubling=True).check(levels, part="yolofpn")
        *finer, coarsest = levels
        self.lateral, self.down = nn.ModuleList(), nn.ModuleList()
        outputs = [coarsest]
        for level in reversed(finer):
            above, half = outputs[0].channels, outputs[0].channels // 2
            self.lateral.append(BaseConv(above, half, activation="leaky_relu"))
            self.down.append(_embedding(level.channels + half, half))
            outputs.insert(0, FeatureLevel(half, level.stride))
        self.levels = tuple(outputs)

    def forward(self, maps: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """One `(b, channels, h, w)` a level, finest first, to the same sizes."""
        outputs = [maps[-1]]
        for lateral, down, finer in zip(self.lateral, self.down, maps[-2::-1], strict=True):
            outputs.append(down(_upsample_and_concatenate(lateral(outputs[-1]), finer)))
        return tuple(reversed(outputs))


def _embedding(inputs: int, outputs: int) -> nn.Sequential:
    """Five convolutions, 1x1 and 3x3 in turn."""
    wide = 2 * outputs
    steps = (
        (inputs, outputs, 1),
        (outputs, wide, 3),
        (wide, outputs, 1),
        (outputs, wide, 3),
        (wide, outputs, 1),
    )
    return nn.Sequential(
        *(BaseConv(a, b, kernel=kernel, activation="leaky_relu") for a, b, kernel in steps)
    )


def _upsample_and_concatenate(coarse: Tensor, fine: Tensor) -> Tensor:
    """The coarse map, enlarged to the size of the fine one, concatenated with it."""
    return torch.cat(
        [interpolate(coarse, size=fine.shape[-2:], mode="nearest"), fine], dim=1
    )  # (b, c1 + c2, h, w)
