"""Which of torchvision's layers have rows for classes, how those lie, and what torchvision starts
them from.

Names are relative to the network. The starting values are those that the constructors in
`torchvision.models.detection` set.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from torch import nn

from zoo.contract import ClassLayer

# how sure every class is of every anchor before training (Focal Loss, arXiv:1708.02002, 3.3)
PRIOR = 0.01
BACKGROUND = 0


def focal(net: Any, channels: Sequence[int]) -> list[ClassLayer]:
    """RetinaNet and FCOS: one layer on all levels, anchor by anchor."""
    scores = net.head.classification_head
    outer = scores.cls_logits.out_channels // len(channels)
    return [
        _layer("head.classification_head.cls_logits", channels, outer=outer, start=_start_at_prior)
    ]


def default_boxes(net: Any, channels: Sequence[int]) -> list[ClassLayer]:
    """SSD, a layer a map, box by box; SSDlite, where that layer is the second of a pair."""
    layers = []
    for index, module in enumerate(net.head.classification_head.module_list):
        lite = isinstance(module, nn.Sequential)
        layer: Any = module[1] if lite else module
        name = f"head.classification_head.module_list.{index}" + (".1" if lite else "")
        start = _start_normal if lite else _start_xavier
        layers.append(
            _layer(name, channels, outer=layer.out_channels // len(channels), start=start)
        )
    return layers


def regions(net: Any, channels: Sequence[int]) -> list[ClassLayer]:
    """The R-CNNs: a score, a box and, in Mask R-CNN, a mask for each class; linear layers start as
    torch's do."""
    boxes = "roi_heads.box_predictor"
    layers = [
        _layer(f"{boxes}.cls_score", channels),
        _layer(f"{boxes}.bbox_pred", channels, inner=4),
    ]
    if net.roi_heads.has_mask():
        layers.append(
            _layer("roi_heads.mask_predictor.mask_fcn_logits", channels, start=_start_kaiming)
        )
    return layers


def _layer(name: str, channels: Sequence[int], **layout: Any) -> ClassLayer:
    background = BACKGROUND if channels[BACKGROUND] < 0 else None
    return ClassLayer(name, tuple(channels), background=background, **layout)


def _start_at_prior(layer: Any) -> None:
    nn.init.normal_(layer.weight, std=0.01)
    nn.init.constant_(layer.bias, -math.log((1 - PRIOR) / PRIOR))


def _start_xavier(layer: Any) -> None:
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)


def _start_normal(layer: Any) -> None:
    nn.init.normal_(layer.weight, std=0.03)
    nn.init.zeros_(layer.bias)


def _start_kaiming(layer: Any) -> None:
    layer.reset_parameters()
    nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
