"""The decoupled head: at every level one branch says what, the other where and whether (arXiv:2107.08430, section 2.1).

After `yolox/models/yolo_head.py` in Megvii-BaseDetection/YOLOX, under its names.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from detzoo_yolox.blocks import Activation, BaseConv, spatial_conv
from detzoo_yolox.raw import Grid, Raw
from zoo.labels import LabelSpace
from zoo.parts.level import Level

PRIOR = 0.01


class PriorConv(nn.Conv2d):
    """A 1x1 convolution to logits that starts by saying 1 % everywhere (Lin et al., Focal Loss, arXiv:1708.02002, 3.3)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, kernel_size=1)

    def reset_parameters(self) -> None:
        """The usual random weights, and a bias whose sigmoid is the prior."""
        super().reset_parameters()
        if self.bias is not None:
            nn.init.constant_(self.bias, math.log(PRIOR / (1 - PRIOR)))


class DecoupledHead(nn.Module):
    """Boxes, objectness and classes of every cell of every level.

    levels:     the maps it takes.
    space:      one class channel for each of its channels.
    channels:   the width of both branches.
    depthwise:  3x3 convolutions split into depthwise and pointwise.
    activation: `silu`, or `leaky_relu` behind Darknet-53.
    """

    def __init__(
        self,
        *,
        levels: tuple[Level, ...],
        space: LabelSpace,
        channels: int = 256,
        depthwise: bool = False,
        activation: Activation = "silu",
    ) -> None:
        super().__init__()
        self.levels = levels

        def branch() -> nn.Sequential:
            convs = (spatial_conv(channels, channels, depthwise=depthwise, activation=activation) for _ in range(2))
            return nn.Sequential(*convs)

        self.stems = nn.ModuleList(BaseConv(level.channels, channels, activation=activation) for level in levels)
        self.cls_convs = nn.ModuleList(branch() for _ in levels)
        self.reg_convs = nn.ModuleList(branch() for _ in levels)
        self.cls_preds = nn.ModuleList(PriorConv(channels, len(space.channels)) for _ in levels)
        self.reg_preds = nn.ModuleList(nn.Conv2d(channels, 4, kernel_size=1) for _ in levels)
        self.obj_preds = nn.ModuleList(PriorConv(channels, 1) for _ in levels)

    def forward(self, maps: tuple[Tensor, ...]) -> Raw:
        """One `(b, channels, h, w)` a level to the raw values of all their cells: logits in train mode, else probabilities."""
        values, grids = [], []
        for index, (features, level) in enumerate(zip(maps, self.levels, strict=True)):
            values.append(self._level(index, features).flatten(2).transpose(1, 2))  # (b, h * w, 5 + n)
            height, width = features.shape[-2:]
            grids.append(Grid(height, width, level.stride))
        return Raw(torch.cat(values, dim=1), tuple(grids), logits=self.training)  # (b, cells, 5 + n)

    def _level(self, index: int, features: Tensor) -> Tensor:
        stem = self.stems[index](features)
        what, where = self.cls_convs[index](stem), self.reg_convs[index](stem)
        scores = torch.cat([self.obj_preds[index](where), self.cls_preds[index](what)], dim=1)  # (b, 1 + n, h, w)
        return torch.cat([self.reg_preds[index](where), scores if self.training else scores.sigmoid()], dim=1)  # (b, 5 + n, h, w)
