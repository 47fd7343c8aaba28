"""ResNets and MobileNets of torchvision as backbones, asked for strides; random weights, no
download."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from torch import Tensor, nn
from torchvision import models
from torchvision.models._utils import IntermediateLayerGetter

from zoo.contract import FeatureLevel
from zoo.errors import ContractError


class Staged(nn.Module):
    """The layers of a classifier up to the coarsest wanted map; what lies behind is left out.

    levels: one for each of its strides.
    """

    def __init__(
        self,
        name: str,
        layers: nn.Module,
        ends: dict[FeatureLevel, str],
        *,
        strides: tuple[int, ...],
    ) -> None:
        super().__init__()
        level_of = {level.stride: level for level in ends}
        unknown = [stride for stride in strides if stride not in level_of]
        if unknown:
            raise ContractError(
                f"{name} can't give maps at the strides {', '.join(map(str, strides))}.",
                f"It has none at {', '.join(map(str, unknown))}.",
                f"Choose from {', '.join(map(str, sorted(level_of)))}.",
            )
        self.levels = tuple(level_of[stride] for stride in strides)
        self.body = IntermediateLayerGetter(
            layers, {ends[level]: str(level.stride) for level in self.levels}
        )

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """`(b, 3, h, w)` to one `(b, channels, h / stride, w / stride)` a level."""
        return tuple(self.body(pixels).values())


def resnet(name: str, *, strides: tuple[int, ...]) -> Staged:
    """A ResNet, ResNeXt or Wide ResNet (He et al., arXiv:1512.03385): maps at strides 4 to 32,
    after each group of blocks."""
    net = _build_untrained(name)
    ends = {
        FeatureLevel(
            _last_conv(getattr(net, f"layer{number}")), 2 ** (number + 1)
        ): f"layer{number}"
        for number in (1, 2, 3, 4)
    }
    return Staged(name, net, ends, strides=strides)


def mobilenet(name: str, *, strides: tuple[int, ...]) -> Staged:
    """A MobileNetV2 or V3 (arXiv:1801.04381, arXiv:1905.02244): maps at strides 2 to 32, after the
    last block at each."""
    features = _build_untrained(name).features
    return Staged(name, features, dict(_ends(features)), strides=strides)


def _build_untrained(name: str) -> Any:
    make: Callable[..., Any] = getattr(models, name)
    return make(weights=None)


def _last_conv(stage: nn.Sequential) -> int:
    """The channels a group of residual blocks returns."""
    convolutions = [layer for layer in stage[-1].children() if isinstance(layer, nn.Conv2d)]
    return convolutions[-1].out_channels


def _ends(features: Any) -> Iterator[tuple[FeatureLevel, str]]:
    """Each level with the name of its last block; a block's stride is that of its one strided
    convolution."""
    stride, blocks = 1, list(features.named_children())
    reached = []
    for name, block in blocks:
        for module in block.modules():
            stride *= module.stride[0] if isinstance(module, nn.Conv2d) else 1
        reached.append((stride, name, block.out_channels))
    last = {step: (FeatureLevel(channels, step), name) for step, name, channels in reached}
    yield from last.values()


resnet18 = partial(resnet, "resnet18")
resnet34 = partial(resnet, "resnet34")
resnet50 = partial(resnet, "resnet50")
resnet101 = partial(resnet, "resnet101")
resnet152 = partial(resnet, "resnet152")
resnext50_32x4d = partial(resnet, "resnext50_32x4d")
resnext101_32x8d = partial(resnet, "resnext101_32x8d")
resnext101_64x4d = partial(resnet, "resnext101_64x4d")
wide_resnet50_2 = partial(resnet, "wide_resnet50_2")
wide_resnet101_2 = partial(resnet, "wide_resnet101_2")
mobilenet_v2 = partial(mobilenet, "mobilenet_v2")
mobilenet_v3_small = partial(mobilenet, "mobilenet_v3_small")
mobilenet_v3_large = partial(mobilenet, "mobilenet_v3_large")
