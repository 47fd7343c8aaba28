"""The weighted bidirectional feature pyramid of EfficientDet (Tan, Pang and Le, arXiv:1911.09070,
section 3)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, max_pool2d, silu

from zoo.contract import Count, FeatureLevel, LevelRequirements
from zoo.errors import CardError

EPSILON = 1e-4  # section 3.3: keeps the normalisation from dividing by zero
BN_MOMENTUM, BN_EPS = 0.01, 1e-3  # of the reference implementation, google/automl efficientdet


class BiFPN(nn.Module):
    """Layers that carry features down and up the pyramid, each merge weighing its inputs by what it
    learned.

    channels: of every map it returns.
    layers:   how many times features go down and up; 3 in EfficientDet-D0.
    coarser:  maps added before the first layer, each at half the resolution of the one before.
    """

    def __init__(
        self,
        *,
        levels: tuple[FeatureLevel, ...],
        channels: Count = 64,
        layers: int = 3,
        coarser: int = 2,
    ) -> None:
        super().__init__()
        if coarser < 0 or layers < 1:
            raise CardError(
                f"bifpn can't be built with {layers} layers and {coarser} coarser maps.",
                "It has at least 1 layer, and adds maps rather than taking some away.",
                "Leave both out, or write layers: 3 and coarser: 2.",
            )
        LevelRequirements(fewest=2 - coarser, doubling=True).check(levels, part="bifpn")
        last = levels[-1]
        added = [FeatureLevel(channels, last.stride * 2 ** (step + 1)) for step in range(coarser)]
        self.levels = (*(FeatureLevel(channels, level.stride) for level in levels), *added)
        self.lateral = nn.ModuleList(_project(level.channels, channels) for level in levels)
        self.coarser = nn.ModuleList(_project(last.channels, channels) for _ in added[:1])
        self.layers = nn.ModuleList(Layer(len(self.levels), channels) for _ in range(layers))

    def forward(self, maps: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """One `(b, channels, h, w)` a level, finest first, to one for each of its own levels."""
        pyramid = [lateral(features) for lateral, features in zip(self.lateral, maps, strict=True)]
        for project in self.coarser:
            pyramid.append(halve(project(maps[-1])))
        while len(pyramid) < len(self.levels):
            pyramid.append(halve(pyramid[-1]))
        for layer in self.layers:
            pyramid = layer(pyramid)
        return tuple(pyramid)


class Layer(nn.Module):
    """Down and up once: two merges a level, one for the finest and the coarsest (figure 3d)."""

    def __init__(self, count: int, channels: int) -> None:
        super().__init__()
        self.down = nn.ModuleList(Merge(2, channels) for _ in range(count - 1))
        self.up = nn.ModuleList(
            Merge(3 if index < count - 2 else 2, channels) for index in range(count - 1)
        )

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """The maps of all levels, finest first, to as many of the same shapes."""
        passed = [maps[-1]]  # what each level hands down, coarsest first
        for merge, finer in zip(reversed(self.down), maps[-2::-1], strict=True):
            passed.append(merge([finer, enlarge(passed[-1], like=finer)]))
        passed.reverse()
        merged = [passed[0]]
        for index, merge in enumerate(self.up, start=1):
            between = [passed[index]] if index < len(maps) - 1 else []
            merged.append(merge([maps[index], *between, halve(merged[-1])]))
        return merged


class Merge(nn.Module):
    """Fast normalised fusion (section 3.3) of maps of one size, then a depthwise separable
    convolution."""

    def __init__(self, inputs: int, channels: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.ones(inputs))
        self.conv = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False),
            nn.Conv2d(channels, channels, 1),
            nn.BatchNorm2d(channels, momentum=BN_MOMENTUM, eps=BN_EPS),
        )

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Maps `(b, channels, h, w)`, one for each weight, to one of the same shape."""
        weights = self.weights.relu()
        weights = weights / (weights.sum() + EPSILON)
        merged = sum(weight * features for weight, features in zip(weights, maps, strict=True))
        return self.conv(silu(merged))  # type: ignore[no-any-return]


def enlarge(coarse: Tensor, *, like: Tensor) -> Tensor:
    """The coarse map at the size of the next finer one."""
    return interpolate(coarse, size=like.shape[-2:], mode="nearest")


def halve(fine: Tensor) -> Tensor:
    """Maxima over 3x3 cells around every second cell: `(b, c, h, w)` to `(b, c, ceil(h / 2), ceil(w
    / 2))`."""
    return max_pool2d(fine, kernel_size=3, stride=2, padding=1)


def _project(inputs: int, channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, channels, 1), nn.BatchNorm2d(channels, momentum=BN_MOMENTUM, eps=BN_EPS)
    )
