"""RetinaNet, FCOS and SSD: one look, a class and a box at every anchor."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torchvision.models.detection.image_list import ImageList
from torchvision.ops import box_iou

from detzoo_torchvision import class_layers
from detzoo_torchvision.detector import TorchvisionDetector, input_sizes, whole, with_thresholds
from zoo import LabelSpace
from zoo.detectors import Batch, Target, Thresholds


@dataclass(frozen=True)
class OneStageOutput:
    """What the heads say at each of the `a` anchors.

    heads:   `cls_logits` (b, a, channels), `bbox_regression` (b, a, 4), and FCOS's `bbox_ctrness`
             (b, a, 1).
    anchors: (a, 4) in input pixels, the same in all images of the batch.
    cells:   cells of each map, finest first.
    """

    heads: dict[str, Tensor]
    anchors: Tensor
    cells: tuple[int, ...]


class OneStage(TorchvisionDetector):
    """A torchvision network without proposals."""

    def __init__(self, net: Any, *, label_space: LabelSpace) -> None:
        super().__init__(net, label_space=label_space, owner=net)

    def forward(self, batch: Batch) -> OneStageOutput:
        """Heads on every map, and the anchors that belong to them, in float32, whatever the
        network's type."""
        maps = list(self.net.backbone(batch.pixels).values())
        one = ImageList(
            batch.pixels, input_sizes(batch)[:1]
        )  # only its length counts, and the anchors are the same for all
        (anchors,) = self.net.anchor_generator(one, whole(maps))
        heads = {name: output.float() for name, output in self.net.head(maps).items()}
        return OneStageOutput(heads, anchors, tuple(each.shape[2] * each.shape[3] for each in maps))

    def loss(
        self, raw: OneStageOutput, batch: Batch, targets: Sequence[Target]
    ) -> dict[str, Tensor]:
        """`classification` and `bbox_regression`, and FCOS's `bbox_ctrness`."""
        return self._losses(raw, [raw.anchors] * len(batch), self._truth(batch, targets))

    @abstractmethod
    def _losses(
        self, raw: OneStageOutput, anchors: list[Tensor], truth: list[dict[str, Tensor]]
    ) -> dict[str, Tensor]:
        """torchvision's losses, with the anchors once for each picture."""


class Pyramid(OneStage):
    """A network that keeps its best candidates of each pyramid level before suppression."""

    _class_layers = staticmethod(class_layers.focal)

    def _found(
        self, raw: OneStageOutput, images: ImageList, thresholds: Thresholds
    ) -> list[dict[str, Tensor]]:
        per_cell = len(raw.anchors) // sum(raw.cells)
        levels = [per_cell * cells for cells in raw.cells]
        heads = {
            name: list(torch.split(output, levels, dim=1)) for name, output in raw.heads.items()
        }
        anchors = [list(torch.split(raw.anchors, levels))] * len(images.image_sizes)
        found: list[dict[str, Tensor]] = with_thresholds(
            self.net, thresholds
        ).postprocess_detections(heads, anchors, images.image_sizes)
        return found


class RetinaNet(Pyramid):
    """Focal loss on dense anchors (Lin et al. 2017, arXiv:1708.02002)."""

    def _losses(
        self, raw: OneStageOutput, anchors: list[Tensor], truth: list[dict[str, Tensor]]
    ) -> dict[str, Tensor]:
        losses: dict[str, Tensor] = self.net.compute_loss(truth, raw.heads, anchors)
        return losses


class FCOS(Pyramid):
    """Every point inside a box predicts it, weighted by how central it is (Tian et al. 2019,
    arXiv:1904.01355)."""

    def _losses(
        self, raw: OneStageOutput, anchors: list[Tensor], truth: list[dict[str, Tensor]]
    ) -> dict[str, Tensor]:
        losses: dict[str, Tensor] = self.net.compute_loss(
            truth, raw.heads, anchors, list(raw.cells)
        )
        return losses


class SSD(OneStage):
    """Default boxes on maps of falling resolution (Liu et al. 2015, arXiv:1512.02325); SSDlite has
    lighter layers."""

    _class_layers = staticmethod(class_layers.default_boxes)

    def _losses(
        self, raw: OneStageOutput, anchors: list[Tensor], truth: list[dict[str, Tensor]]
    ) -> dict[str, Tensor]:
        matched = [self._match(one["boxes"], raw.anchors) for one in truth]
        losses: dict[str, Tensor] = self.net.compute_loss(truth, raw.heads, anchors, matched)
        return losses

    def _match(self, boxes: Tensor, anchors: Tensor) -> Tensor:
        """The box each anchor is matched with, -1 for none: (a,)."""
        if not len(boxes):
            return torch.full((len(anchors),), -1, dtype=torch.int64, device=anchors.device)
        matched: Tensor = self.net.proposal_matcher(box_iou(boxes, anchors))
        return matched

    def _found(
        self, raw: OneStageOutput, images: ImageList, thresholds: Thresholds
    ) -> list[dict[str, Tensor]]:
        anchors = [raw.anchors] * len(images.image_sizes)
        found: list[dict[str, Tensor]] = with_thresholds(
            self.net, thresholds
        ).postprocess_detections(raw.heads, anchors, images.image_sizes)
        return found
