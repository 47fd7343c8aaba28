"""A torchvision detection network as a mere head: backbone and transform are the pipeline's."""

from __future__ import annotations

from torch import nn


class NoBackbone(nn.Module):
    """Stands where torchvision's builders want a backbone, and knows only how many channels it
    would have."""

    def __init__(self, channels: int | list[int]) -> None:
        super().__init__()
        self.out_channels = channels


def strip_backbone(net: nn.Module) -> nn.Module:
    """The network without backbone and transform."""
    del net.backbone, net.transform
    return net
