"""RetinaNet, FCOS and SSD as heads of composed detectors: their layers and anchors."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, TypeAlias

from msgspec import Meta
from torch import Tensor, nn
from torchvision.models import detection
from torchvision.models.detection.anchor_utils import DefaultBoxGenerator
from torchvision.models.detection.fcos import FCOSHead
from torchvision.models.detection.retinanet import RetinaNetHead
from torchvision.models.detection.ssd import SSD as TorchvisionSSD
from torchvision.models.detection.ssd import SSDHead

from detzoo_torchvision.dense import DenseOutput, DenseSteps, FCOSSteps, RetinaNetSteps, SSDSteps
from detzoo_torchvision.parts.anchors import StridedAnchors
from detzoo_torchvision.parts.head_only import NoBackbone, strip_backbone
from detzoo_torchvision.steps import thresholds_of
from zoo.boxes import have_area
from zoo.contract import (
    Batch,
    FeatureLevel,
    LevelRequirements,
    Positive,
    Positives,
    Target,
    Thresholds,
)
from zoo.detections import Detections
from zoo.errors import UsageError
from zoo.labels import LabelSpace

Share: TypeAlias = Annotated[float, Meta(gt=0, le=1)]


class DenseHead(DenseSteps, nn.Module):
    """A torchvision network without its backbone and transform, which are the pipeline's.

    background: 1 if channel 0 is background and label n is channel n + 1.
    """

    background = 0

    def __init__(self, net: nn.Module, label_space: LabelSpace) -> None:
        super().__init__()
        self.defaults = thresholds_of(net)
        self.net: Any = strip_backbone(net)
        self.label_space = label_space

    @property
    def channels(self) -> tuple[int, ...]:
        """The label of each class channel, -1 for background."""
        return (*[-1] * self.background, *range(len(self.label_space)))

    def forward(
        self,
        maps: tuple[Tensor, ...],
        batch: Batch,
        targets: Sequence[Target] | None = None,  # noqa: ARG002 - the head needs none
    ) -> DenseOutput:
        """The head on every map, and the anchors that belong to it, in float32."""
        return self.outputs_of(maps, batch)

    def decode(
        self, outputs: DenseOutput, batch: Batch, thresholds: Thresholds
    ) -> list[Detections]:
        """torchvision's own postprocessing, and then the limit: boxes that lie in the padding have
        no area in the image, and would be left over by suppression."""
        everything = super().decode(outputs, batch, replace(thresholds, max_boxes=sys.maxsize))
        return [each[have_area(each.boxes)].top(thresholds.max_boxes) for each in everything]


class RetinaNet(RetinaNetSteps, DenseHead):
    """Focal loss on dense anchors (Lin et al., arXiv:1708.02002).

    scale:  the side of the smallest square anchor, in strides; two larger ones fill the octave, as
        in section 4.
    ratios: height to width of the anchors.
    """

    def __init__(
        self,
        *,
        levels: tuple[FeatureLevel, ...],
        label_space: LabelSpace,
        scale: Positive = 4.0,
        ratios: Positives = (0.5, 1.0, 2.0),
        groups: int = 0,
    ) -> None:
        LevelRequirements(equal_channels=True, channels_multiple=groups or 1).check(
            levels, part="retinanet"
        )
        channels = levels[0].channels
        sizes = [
            [int(scale * level.stride * 2 ** (third / 3)) for third in range(3)] for level in levels
        ]
        anchors = StridedAnchors(levels, sizes=sizes, ratios=ratios)
        head = RetinaNetHead(
            channels,
            anchors.num_anchors_per_location()[0],
            len(label_space),
            norm_layer=partial(nn.GroupNorm, groups) if groups else None,
        )
        super().__init__(
            detection.RetinaNet(
                NoBackbone(channels), len(label_space), anchor_generator=anchors, head=head
            ),
            label_space,
        )


class FCOS(FCOSSteps, DenseHead):
    """Every cell in the middle of a box predicts it, weighted by how central it is (Tian et al.,
    arXiv:1904.01355, 2006.09214).

    Which level learns a box goes by the box's size, in octaves, so strides have to double.
    """

    def __init__(self, *, levels: tuple[FeatureLevel, ...], label_space: LabelSpace) -> None:
        # 32 groups, each of two channels at least: the one value of a map of one cell would have no
        # variance.
        LevelRequirements(equal_channels=True, doubling=True, channels_multiple=64).check(
            levels, part="fcos"
        )
        channels = levels[0].channels
        anchors = StridedAnchors(levels, sizes=[[level.stride] for level in levels], ratios=[1.0])
        head = FCOSHead(channels, 1, len(label_space))
        super().__init__(
            detection.FCOS(
                NoBackbone(channels), len(label_space), anchor_generator=anchors, head=head
            ),
            label_space,
        )


class SSD(SSDSteps, DenseHead):
    """Default boxes on maps of any channels, one layer a map (Liu et al., arXiv:1512.02325).

    smallest, largest: the side of the default boxes of the finest and the coarsest map, as a
        fraction of the input's.
    ratios:            their width to height; each also upside down.
    """

    background = 1

    def __init__(
        self,
        *,
        levels: tuple[FeatureLevel, ...],
        label_space: LabelSpace,
        smallest: Share = 0.1,
        largest: Positive = 0.9,
        ratios: Positives = (2.0, 3.0),
    ) -> None:
        if smallest > largest:
            raise UsageError(
                f"The head 'ssd' was given smallest={smallest:g} and largest={largest:g}.",
                "Default boxes grow from the finest map to the coarsest.",
                f"Exchange them: smallest={largest:g}, largest={smallest:g}.",
            )
        channels = [level.channels for level in levels]
        boxes = DefaultBoxGenerator(
            [list(ratios) for _ in levels],
            min_ratio=smallest,
            max_ratio=largest,
            steps=[level.stride for level in levels],
        )
        head = SSDHead(channels, boxes.num_anchors_per_location(), len(label_space) + 1)
        super().__init__(
            TorchvisionSSD(NoBackbone(channels), boxes, (1, 1), len(label_space) + 1, head=head),
            label_space,
        )
