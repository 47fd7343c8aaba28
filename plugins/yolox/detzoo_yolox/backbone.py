"""CSPDarknet, the backbone of YOLOX from nano to x.

After `yolox/models/darknet.py` in Megvii-BaseDetection/YOLOX (arXiv:2107.08430).
"""

from __future__ import annotations

from torch import nn

from detzoo_yolox.blocks import CSPLayer, Focus, SPPBottleneck, spatial_conv
from detzoo_yolox.stages import Stages
from zoo.contract import FeatureLevel, Positive
from zoo.errors import UsageError


class CSPDarknet(Stages):
    """Maps at strides 2 to 32, of `64 * width` to `1024 * width` channels.

    depth, width: factors on the number of blocks and of channels; 1 is YOLOX-L.
    depthwise:    3x3 convolutions split into depthwise and pointwise, as in YOLOX-Nano.
    """

    def __init__(
        self,
        *,
        strides: tuple[int, ...] = (8, 16, 32),
        depth: Positive = 1.0,
        width: Positive = 1.0,
        depthwise: bool = False,
    ) -> None:
        base = int(64 * width)
        if base == 0:
            raise UsageError(
                f"The backbone 'cspdarknet' can't be built with width={width}.",
                "Its first layer has int(64 * width) channels, and that is none.",
                f"The smallest with a channel is width={1 / 64}; YOLOX-Nano has 0.25.",
            )
        blocks = max(round(3 * depth), 1)
        stages: dict[str, tuple[nn.Module, FeatureLevel]] = {
            "stem": (Focus(3, base), FeatureLevel(base, stride=2))
        }
        for name, stride, count in (
            ("dark2", 4, blocks),
            ("dark3", 8, 3 * blocks),
            ("dark4", 16, 3 * blocks),
            ("dark5", 32, blocks),
        ):
            inputs, outputs, last = base * stride // 4, base * stride // 2, name == "dark5"
            down = spatial_conv(inputs, outputs, stride=2, depthwise=depthwise)
            pool = [SPPBottleneck(outputs, outputs)] if last else []
            layer = CSPLayer(outputs, outputs, blocks=count, shortcut=not last, depthwise=depthwise)
            stages[name] = nn.Sequential(down, *pool, layer), FeatureLevel(outputs, stride)
        super().__init__(stages, strides=strides)
