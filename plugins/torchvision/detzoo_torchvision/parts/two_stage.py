"""Faster R-CNN as a head: proposals on every level, then a look at each, with torchvision's own
modules.

Ren et al., arXiv:1506.01497, on a pyramid as in Lin et al., arXiv:1612.03144, section 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models import detection
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.roi_heads import fastrcnn_loss
from torchvision.models.detection.rpn import concat_box_prediction_layers
from torchvision.ops import MultiScaleRoIAlign
from torchvision.ops.poolers import LevelMapper

from detzoo_torchvision import class_layers
from detzoo_torchvision.detector import input_sizes, with_thresholds
from detzoo_torchvision.parts.anchors import StridedAnchors
from detzoo_torchvision.parts.hollow import Bodyless, hollow, thresholds_of, to_detections
from detzoo_torchvision.two_stage import Regions
from zoo.contract import (
    Batch,
    ClassLayer,
    FeatureLevel,
    LevelRequirements,
    Target,
    Thresholds,
    targets_to_input,
)
from zoo.detections import Detections
from zoo.labels import LabelSpace

SIDE = 7  # cells that a region is cut into, each way


@dataclass(frozen=True)
class RegionOutput:
    """What the first stage says of the `a` anchors of each of `b` images, and in eval mode the
    second of the best of them.

    maps:       one `(b, channels, h, w)` a level, for the second stage to look at.
    objectness: (b * a, 1) logits.
    deltas:     (b * a, 4), how each anchor would move.
    anchors:    (a, 4) in input pixels.
    counts:     anchors of each level.
    regions:    None in train mode, where what is looked at depends on the truth, so on `loss`.
    """

    maps: tuple[Tensor, ...]
    objectness: Tensor
    deltas: Tensor
    anchors: Tensor
    counts: tuple[int, ...]
    regions: Regions | None = None


class FasterRCNN(nn.Module):
    """A region proposal network and a second stage that classifies and moves what it proposes.

    scale:  the side of each level's square anchors, in strides.
    ratios: height to width of the anchors.
    hidden: the width of the two layers that every region goes through.
    """

    def __init__(
        self,
        *,
        levels: tuple[FeatureLevel, ...],
        label_space: LabelSpace,
        scale: float = 8.0,
        ratios: Sequence[float] = (0.5, 1.0, 2.0),
        hidden: int = 1024,
    ) -> None:
        super().__init__()
        LevelRequirements(equal_channels=True, doubling=True).check(levels, part="fasterrcnn")
        channels = levels[0].channels
        net = detection.FasterRCNN(
            Bodyless(channels),
            rpn_anchor_generator=StridedAnchors(
                levels, sizes=[[int(scale * one.stride)] for one in levels], ratios=ratios
            ),
            box_roi_pool=_pool(levels),
            box_head=TwoMLPHead(channels * SIDE**2, hidden),
            box_predictor=FastRCNNPredictor(hidden, len(label_space) + 1),
        )
        self.defaults = thresholds_of(net.roi_heads)
        self.net: Any = hollow(net)
        self.label_space = label_space

    def forward(self, maps: tuple[Tensor, ...], batch: Batch) -> RegionOutput:
        """Both stages in eval mode, the first in train mode; boxes in float32, whatever the
        network's type."""
        rpn = self.net.rpn
        objectness, deltas = rpn.head(list(maps))
        counts = tuple(one[0].numel() for one in objectness)
        objectness, deltas = (
            one.float() for one in concat_box_prediction_layers(objectness, deltas)
        )
        raw = RegionOutput(maps, objectness, deltas, rpn.anchor_generator.on(maps), counts)
        return raw if self.training else replace(raw, regions=self._regions(raw, batch))

    def decode(self, raw: RegionOutput, batch: Batch, thresholds: Thresholds) -> list[Detections]:
        """torchvision's own postprocessing at these thresholds, in original pixels."""
        with torch.no_grad():
            regions = raw.regions or self._regions(raw, batch)
            heads = with_thresholds(self.net.roi_heads, thresholds)
            found = heads.postprocess_detections(
                regions.logits, regions.deltas, list(regions.proposals), input_sizes(batch)
            )
        named = [
            dict(zip(("boxes", "scores", "labels"), one, strict=True))
            for one in zip(*found, strict=True)
        ]
        return to_detections(named, batch, self.label_space, background=1)

    def loss(self, raw: RegionOutput, batch: Batch, targets: Sequence[Target]) -> dict[str, Tensor]:
        """`loss_objectness` and `loss_rpn_box_reg` of the proposals, `loss_classifier` and
        `loss_box_reg` of the second stage.

        Anchors and proposals are sampled with torch's random generator (section 3.1.3).
        """
        rpn, roi = self.net.rpn, self.net.roi_heads
        truth = [
            {"boxes": one.boxes, "labels": one.labels + 1}
            for one in targets_to_input(batch, targets, self.label_space)
        ]
        anchors = [raw.anchors] * len(truth)
        labels, boxes = rpn.assign_targets_to_anchors(anchors, truth)
        aims = rpn.box_coder.encode(boxes, anchors)
        loss_objectness, loss_rpn_box_reg = rpn.compute_loss(
            raw.objectness, raw.deltas, labels, aims
        )
        chosen, _, channels, wanted = roi.select_training_samples(self._propose(raw, batch), truth)
        loss_classifier, loss_box_reg = fastrcnn_loss(
            *self._look(raw.maps, chosen, batch), channels, wanted
        )
        return {
            "loss_objectness": loss_objectness,
            "loss_rpn_box_reg": loss_rpn_box_reg,
            "loss_classifier": loss_classifier,
            "loss_box_reg": loss_box_reg,
        }

    def class_layers(self) -> list[ClassLayer]:
        """The score and the box of each class."""
        return [
            layer.within("net")
            for layer in class_layers.regions(self.net, (-1, *range(len(self.label_space))))
        ]

    def _regions(self, raw: RegionOutput, batch: Batch) -> Regions:
        proposals = self._propose(raw, batch)
        return Regions(tuple(proposals), *self._look(raw.maps, proposals, batch))

    def _propose(self, raw: RegionOutput, batch: Batch) -> list[Tensor]:
        """The best boxes of each image, `(n, 4)` in input pixels; more of them in train mode."""
        rpn = self.net.rpn
        moved = rpn.box_coder.decode(raw.deltas.detach(), [raw.anchors] * len(batch))
        boxes, _ = rpn.filter_proposals(
            moved.view(len(batch), -1, 4), raw.objectness, input_sizes(batch), list(raw.counts)
        )
        proposals: list[Tensor] = boxes
        return proposals

    def _look(
        self, maps: Sequence[Tensor], proposals: Sequence[Tensor], batch: Batch
    ) -> tuple[Tensor, Tensor]:
        """The second stage: logits and deltas of each proposal, in float32; regions are cut in it,
        too."""
        roi = self.net.roi_heads
        features = {str(index): one.float() for index, one in enumerate(maps)}
        cut = roi.box_roi_pool(
            features, list(proposals), input_sizes(batch)
        )  # (sum of n, channels, 7, 7)
        logits, deltas = roi.box_predictor(roi.box_head(cut.to(maps[0].dtype)))
        return logits.float(), deltas.float()


def _pool(levels: Sequence[FeatureLevel]) -> MultiScaleRoIAlign:
    """Cuts regions out of the level that fits their size, at the levels' strides (torchvision would
    guess them)."""
    pool = MultiScaleRoIAlign(
        [str(index) for index in range(len(levels))], output_size=SIDE, sampling_ratio=2
    )
    pool.scales = [1 / level.stride for level in levels]
    finest, coarsest = (levels[end].stride.bit_length() - 1 for end in (0, -1))  # log2
    pool.map_levels = LevelMapper(finest, coarsest, pool.canonical_scale, pool.canonical_level)
    return pool
