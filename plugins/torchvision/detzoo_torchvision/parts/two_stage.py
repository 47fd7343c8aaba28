"""Faster R-CNN as a head of composed detectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn
from torchvision.models import detection
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.ops import MultiScaleRoIAlign

from detzoo_torchvision.parts.anchors import StridedAnchors
from detzoo_torchvision.parts.head_only import NoBackbone, strip_backbone
from detzoo_torchvision.regions import RegionOutput, RegionSteps, set_strides
from detzoo_torchvision.steps import thresholds_of
from zoo.contract import Batch, Count, FeatureLevel, LevelRequirements, Positive, Positives, Target
from zoo.labels import LabelSpace

SIDE = 7  # cells that a region is cut into, each way


class FasterRCNN(RegionSteps, nn.Module):
    """A region proposal network and a second stage that classifies and moves what it proposes.

    scale:  the side of each level's square anchors, in strides.
    ratios: height to width of the anchors.
    hidden: the width of the two layers that every region goes through.
    sampled: the regions of an image that the second stage learns from.
    """

    def __init__(
        self,
        *,
        levels: tuple[FeatureLevel, ...],
        label_space: LabelSpace,
        scale: Positive = 8.0,
        ratios: Positives = (0.5, 1.0, 2.0),
        hidden: Count = 1024,
        sampled: Count = 512,
    ) -> None:
        super().__init__()
        LevelRequirements(equal_channels=True, doubling=True).check(levels, part="fasterrcnn")
        channels = levels[0].channels
        net = detection.FasterRCNN(
            NoBackbone(channels),
            rpn_anchor_generator=StridedAnchors(
                levels, sizes=[[int(scale * level.stride)] for level in levels], ratios=ratios
            ),
            box_roi_pool=_pool(levels),
            box_head=TwoMLPHead(channels * SIDE**2, hidden),
            box_predictor=FastRCNNPredictor(hidden, len(label_space) + 1),
            box_batch_size_per_image=sampled,
        )
        self.defaults = thresholds_of(net.roi_heads)
        self.net: Any = strip_backbone(net)
        self.label_space = label_space

    @property
    def channels(self) -> tuple[int, ...]:
        """Channel 0 is background, and label n is channel n + 1."""
        return (-1, *range(len(self.label_space)))

    def forward(
        self, maps: tuple[Tensor, ...], batch: Batch, targets: Sequence[Target] | None = None
    ) -> RegionOutput:
        """Both stages; in train mode with targets, of regions that are sampled to learn from."""
        features = {str(index): level for index, level in enumerate(maps)}
        return self.outputs_of(features, batch, targets)


def _pool(levels: Sequence[FeatureLevel]) -> MultiScaleRoIAlign:
    """Cuts regions out of the level that fits their size, at the levels' strides."""
    names = [str(index) for index in range(len(levels))]
    pool = MultiScaleRoIAlign(names, output_size=SIDE, sampling_ratio=2)
    return set_strides(pool, [level.stride for level in levels])
