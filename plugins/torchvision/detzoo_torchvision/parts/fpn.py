"""The feature pyramid network, torchvision's own, between any backbone and any head (Lin et al.,
arXiv:1612.03144)."""

from __future__ import annotations

from collections import OrderedDict
from typing import Literal

from torch import Tensor, nn
from torchvision.ops import FeaturePyramidNetwork
from torchvision.ops.feature_pyramid_network import ExtraFPNBlock, LastLevelMaxPool, LastLevelP6P7

from zoo.contract import Count, FeatureLevel
from zoo.errors import CardError


class FPN(nn.Module):
    """Coarse maps are added to finer ones on the way down; every map ends with the same number of
    channels.

    channels: of every map it returns.
    coarser:  maps added at the end, each at half the resolution of the one before: 2 by
              convolution, as in RetinaNet; 1 by taking every second cell, as in Faster R-CNN.
    """

    def __init__(
        self,
        *,
        levels: tuple[FeatureLevel, ...],
        channels: Count = 256,
        coarser: Literal[0, 1, 2] = 2,
    ) -> None:
        super().__init__()
        last = levels[-1]
        added = [FeatureLevel(channels, last.stride * 2 ** (step + 1)) for step in range(coarser)]
        self.levels = (*(FeatureLevel(channels, level.stride) for level in levels), *added)
        extra = _extra(last.channels, channels, coarser)
        self.pyramid = FeaturePyramidNetwork(
            [level.channels for level in levels], channels, extra_blocks=extra
        )

    def forward(self, maps: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """One `(b, channels, h, w)` a level, finest first, to one for each of its own levels."""
        named = OrderedDict((str(index), features) for index, features in enumerate(maps))
        return tuple(self.pyramid(named).values())


def _extra(inputs: int, channels: int, coarser: int) -> ExtraFPNBlock | None:
    if coarser not in (0, 1, 2):
        raise CardError(
            f"fpn can't add {coarser} coarser maps.",
            "It can add 0, 1 or 2.",
            "Write coarser: 2.",
        )
    if coarser == 2:
        return LastLevelP6P7(inputs, channels)
    return LastLevelMaxPool() if coarser else None
