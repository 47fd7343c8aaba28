"""The stages of torchvision's backbones, stem first, and training only the last of them, counted as
torchvision counts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import nn

Stages = list[list[nn.Module]]


def train_last(stages: Stages, count: int | None) -> None:
    """Freezes all but the last `count` stages; None trains all of them."""
    if count is None:
        return
    if not 0 <= count <= len(stages):
        raise ValueError(
            f"trainable_layers={count}: this backbone has {len(stages)}, so give 0 to "
            f"{len(stages)}, or None for all"
        )
    for stage in stages[: len(stages) - count]:
        for module in stage:
            module.requires_grad_(False)


def resnet_stages(body: nn.Module) -> Stages:
    """Stem, then layer1 to layer4."""
    layers = dict(body.named_children())
    return [
        [layers["conv1"], layers["bn1"]],
        *([layers[f"layer{number}"]] for number in (1, 2, 3, 4)),
    ]


def mobilenet_stages(body: nn.Module) -> Stages:
    """Cut where the resolution halves; the last convolution is a stage of its own."""
    blocks = list(body.children())
    strided = [index for index, block in enumerate(blocks) if getattr(block, "_is_cn", False)]
    return _cut(blocks, [0, *strided, len(blocks) - 1])


def vgg_stages(backbone: nn.Module) -> Stages:
    """Cut at the poolings; SSD keeps the last stage in front of its first extra block."""
    parts = dict(backbone.named_children())
    last = next(parts["extra"].children())
    blocks = [
        *parts["features"].children(),
        *list(last.children())[:-1],
    ]  # the dropped one is SSD's own fc6 and fc7
    pools = [index for index, block in enumerate(blocks) if isinstance(block, nn.MaxPool2d)]
    return _cut(blocks, [0, *pools])


def _cut(blocks: Sequence[nn.Module], starts: Sequence[int]) -> Stages:
    return [list(blocks[start:end]) for start, end in pairwise([*starts, len(blocks)])]
