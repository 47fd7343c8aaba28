"""The convolution blocks that YOLOX is made of, under the names its published checkpoints use.

Architecture: Ge et al., YOLOX: Exceeding YOLO Series in 2021 (arXiv:2107.08430); the names follow
    the reference implementation, `yolox/models/network_blocks.py` in Megvii-BaseDetection/YOLOX.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, max_pool2d

BN_EPS = 1e-3
BN_MOMENTUM = 0.03
NEUTRAL_VARIANCE = 1 - BN_EPS  # its epsilon completes it to 1
ROUNDING = 4e-4  # of that in half precision; a new norm's variance of 1 is further off

Activation = Literal["silu", "leaky_relu"]


class Norm(nn.BatchNorm2d):
    """Batch norm that takes its statistics from the first batch in train mode, if published weights
    have none for it.

    They have none where it was folded into the convolution (`detzoo_yolox.checkpoint.unfold`).
    Weight and bias are set so that the first batch gives what it gave before, in train mode and in
    eval mode: training begins at the published network. Processes that train one network together
    have to start from one that has seen a batch, as each would measure its own.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=BN_EPS, momentum=BN_MOMENTUM)
        # Not known yet; asking the tensors at every batch would make a GPU wait.
        self._has_statistics = False

    def forward(self, x: Tensor) -> Tensor:
        """`(b, channels, h, w)`, unchanged in shape."""
        if self.training and not self._has_statistics and not x.is_meta:
            self._measure(x)
            self._has_statistics = True
        return super().forward(x)

    @torch.no_grad()
    def _measure(self, x: Tensor) -> None:
        """Fills neutral statistics from `x`, and undoes in weight and bias what that changes."""
        old_mean, old_variance = self.running_mean, self.running_var
        assert old_mean is not None
        assert old_variance is not None
        if not ((old_mean == 0).all() & ((old_variance - NEUTRAL_VARIANCE).abs() < ROUNDING).all()):
            return
        variance, mean = torch.var_mean(x.float(), dim=(0, 2, 3), correction=0)  # (channels,) each
        self.bias.addcmul_(self.weight, mean.to(self.weight.dtype))
        self.weight.mul_((variance + self.eps).sqrt().to(self.weight.dtype))
        old_mean.copy_(mean)
        old_variance.copy_(variance)

    def _load_from_state_dict(self, *arguments: Any, **named: Any) -> None:
        super()._load_from_state_dict(*arguments, **named)
        self._has_statistics = False


class BaseConv(nn.Module):
    """Convolution with "same" padding, batch norm, activation."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        activation: Activation = "silu",
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            inputs, outputs, kernel, stride, padding=kernel // 2, groups=groups, bias=False
        )
        self.bn = Norm(outputs)
        self.act = (
            nn.SiLU(inplace=True) if activation == "silu" else nn.LeakyReLU(0.1, inplace=True)
        )

    def forward(self, x: Tensor) -> Tensor:
        """`(b, inputs, h, w)` to `(b, outputs, ceil(h / stride), ceil(w / stride))`."""
        return self.act(self.bn(self.conv(x)))  # type: ignore[no-any-return]


class DWConv(nn.Module):
    """The cheap stand-in for a `BaseConv`: one convolution a channel, then one across channels."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        kernel: int,
        stride: int = 1,
        activation: Activation = "silu",
    ) -> None:
        super().__init__()
        self.dconv = BaseConv(
            inputs, inputs, kernel=kernel, stride=stride, groups=inputs, activation=activation
        )
        self.pconv = BaseConv(inputs, outputs, activation=activation)

    def forward(self, x: Tensor) -> Tensor:
        """`(b, inputs, h, w)` to `(b, outputs, ceil(h / stride), ceil(w / stride))`."""
        return self.pconv(self.dconv(x))  # type: ignore[no-any-return]


def spatial_conv(
    inputs: int,
    outputs: int,
    *,
    stride: int = 1,
    depthwise: bool = False,
    activation: Activation = "silu",
) -> BaseConv | DWConv:
    """A 3x3 convolution of the kind the model is made of."""
    kind = DWConv if depthwise else BaseConv
    return kind(inputs, outputs, kernel=3, stride=stride, activation=activation)


class Bottleneck(nn.Module):
    """A 1x1 and a 3x3 convolution, added to their input where `shortcut` says so."""

    def __init__(self, channels: int, *, shortcut: bool = True, depthwise: bool = False) -> None:
        super().__init__()
        self.conv1 = BaseConv(channels, channels)
        self.conv2 = spatial_conv(channels, channels, depthwise=depthwise)
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        """`(b, channels, h, w)`, unchanged in shape."""
        y: Tensor = self.conv2(self.conv1(x))
        return x + y if self.shortcut else y


class ResLayer(nn.Module):
    """Darknet's residual block: down to half of the channels, a 3x3 convolution back up, added to
    the input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layer1 = BaseConv(channels, channels // 2, activation="leaky_relu")
        self.layer2 = BaseConv(channels // 2, channels, kernel=3, activation="leaky_relu")

    def forward(self, x: Tensor) -> Tensor:
        """`(b, channels, h, w)`, unchanged in shape."""
        return x + self.layer2(self.layer1(x))  # type: ignore[no-any-return]


class CSPLayer(nn.Module):
    """Half of the channels go through `blocks` bottlenecks, half around them (Wang et al., CSPNet,
    arXiv:1911.11929)."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        blocks: int,
        shortcut: bool = True,
        depthwise: bool = False,
    ) -> None:
        super().__init__()
        half = outputs // 2
        self.conv1 = BaseConv(inputs, half)
        self.conv2 = BaseConv(inputs, half)
        self.conv3 = BaseConv(2 * half, outputs)
        self.m = nn.Sequential(
            *(Bottleneck(half, shortcut=shortcut, depthwise=depthwise) for _ in range(blocks))
        )

    def forward(self, x: Tensor) -> Tensor:
        """`(b, inputs, h, w)` to `(b, outputs, h, w)`."""
        halves = torch.cat([self.m(self.conv1(x)), self.conv2(x)], dim=1)  # (b, 2 * half, h, w)
        return self.conv3(halves)  # type: ignore[no-any-return]


class SPPBottleneck(nn.Module):
    """Spatial pyramid pooling: the map with its maxima over 5x5, 9x9 and 13x13 cells (He et al.,
    arXiv:1406.4729)."""

    def __init__(self, inputs: int, outputs: int, *, activation: Activation = "silu") -> None:
        super().__init__()
        half = inputs // 2
        self.conv1 = BaseConv(inputs, half, activation=activation)
        self.conv2 = BaseConv(4 * half, outputs, activation=activation)

    def forward(self, x: Tensor) -> Tensor:
        """`(b, inputs, h, w)` to `(b, outputs, h, w)`."""
        pools: list[Tensor] = [self.conv1(x)]
        for _ in range(
            3
            # maxima over 5x5 of maxima over 5x5 are those over 9x9, and so on: the same numbers,
            # cheaper
        ):
            pools.append(max_pool2d(pools[-1], kernel_size=5, stride=1, padding=2))
        return self.conv2(torch.cat(pools, dim=1))  # type: ignore[no-any-return]


class Focus(nn.Module):
    """The stem: every 2x2 patch of pixels becomes one cell of four times the channels, then a 3x3
    convolution.

    Both are one convolution of 6x6 pixels with a stride of 2, of the very same weights, which reads
    the image once and moves no pixel.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = BaseConv(4 * inputs, outputs, kernel=3)

    def forward(self, x: Tensor) -> Tensor:
        """`(b, inputs, h, w)` with even h and w to `(b, outputs, h / 2, w / 2)`."""
        convolved = conv2d(x, self._kernel(), stride=2, padding=2)
        return self.conv.act(self.conv.bn(convolved))  # type: ignore[no-any-return]

    def _kernel(self) -> Tensor:
        """The weights of the cells as those of their pixels, `(outputs, inputs, 6, 6)`."""
        weight: Tensor = self.conv.conv.weight
        outputs, channels, height, width = weight.shape
        # channels of a cell: its left column from the top, then its right one, in all inputs
        patches = weight.reshape(outputs, 2, 2, channels // 4, height, width)
        pixels = patches.permute(0, 3, 4, 2, 5, 1)  # (outputs, inputs, 3, row, 3, column)
        return pixels.reshape(outputs, channels // 4, 2 * height, 2 * width)
