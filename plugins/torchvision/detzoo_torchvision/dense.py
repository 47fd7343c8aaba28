"""RetinaNet, FCOS and SSD behind the feature maps: a class and a box at every anchor.

Each is written once; `one_stage` puts it behind torchvision's backbones, `parts.dense` behind any.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from copy import copy
from typing import Any

import torch
from torch import Tensor
from torchvision.models.detection.image_list import ImageList
from torchvision.ops import box_iou

from detzoo_torchvision import class_layers
from detzoo_torchvision.steps import TorchvisionSteps, float32_maps
from zoo.contract import Batch, Target, pytree_dataclass


@pytree_dataclass
class DenseOutput:
    """Values of a head at each of the `a` anchors.

    heads:   `cls_logits` (b, a, channels), `bbox_regression` (b, a, 4), and FCOS's `bbox_ctrness`
             (b, a, 1).
    anchors: (a, 4) in input pixels, the same in all images of the batch.
    cells:   cells of each map, finest first.
    """

    heads: dict[str, Tensor]
    anchors: Tensor
    cells: tuple[int, ...]


class DenseSteps(TorchvisionSteps):
    """A torchvision network without proposals."""

    def outputs_of(self, maps: Sequence[Tensor], batch: Batch) -> DenseOutput:
        """Heads on every map, and the anchors that belong to them, in float32, whatever the
        network's type."""
        heads = {name: output.float() for name, output in self.net.head(list(maps)).items()}
        # The anchors are the same in all images; only the length of the sizes counts. The generator
        # keeps what it moves to the maps' device: a copy, so that a call changes nothing in `net`.
        image = ImageList(batch.pixels, [(0, 0)])
        (anchors,) = copy(self.net.anchor_generator)(image, float32_maps(maps))
        cells = tuple(features.shape[-2] * features.shape[-1] for features in maps)
        return DenseOutput(heads, anchors, cells)

    def loss(
        self, outputs: DenseOutput, batch: Batch, targets: Sequence[Target]
    ) -> dict[str, Tensor]:
        """`classification` and `bbox_regression`, and FCOS's `bbox_ctrness`."""
        anchors = [outputs.anchors] * len(batch)
        return self._losses(outputs, anchors, self._truth(batch, targets))

    @abstractmethod
    def _losses(
        self, outputs: DenseOutput, anchors: list[Tensor], truth: list[dict[str, Tensor]]
    ) -> dict[str, Tensor]:
        """torchvision's losses, with the anchors once per image."""


class PyramidSteps(DenseSteps):
    """A network that keeps its best candidates of each pyramid level before suppression."""

    _class_layers = staticmethod(class_layers.focal)

    def _postprocess(
        self, owner: Any, outputs: DenseOutput, sizes: list[tuple[int, int]]
    ) -> list[dict[str, Tensor]]:
        per_cell = len(outputs.anchors) // sum(outputs.cells)
        levels = [per_cell * cells for cells in outputs.cells]
        heads = {
            name: list(torch.split(output, levels, dim=1)) for name, output in outputs.heads.items()
        }
        anchors = [list(torch.split(outputs.anchors, levels))] * len(sizes)
        detections: list[dict[str, Tensor]] = owner.postprocess_detections(heads, anchors, sizes)
        return detections


class RetinaNetSteps(PyramidSteps):
    """Focal loss on dense anchors (Lin et al. 2017, arXiv:1708.02002)."""

    def _losses(
        self, outputs: DenseOutput, anchors: list[Tensor], truth: list[dict[str, Tensor]]
    ) -> dict[str, Tensor]:
        losses: dict[str, Tensor] = self.net.compute_loss(truth, outputs.heads, anchors)
        return losses


class FCOSSteps(PyramidSteps):
    """Every point inside a box predicts it, weighted by how central it is (Tian et al. 2019,
    arXiv:1904.01355)."""

    def _losses(
        self, outputs: DenseOutput, anchors: list[Tensor], truth: list[dict[str, Tensor]]
    ) -> dict[str, Tensor]:
        losses: dict[str, Tensor] = self.net.compute_loss(
            truth, outputs.heads, anchors, list(outputs.cells)
        )
        return losses


class SSDSteps(DenseSteps):
    """Default boxes on maps of falling resolution (Liu et al. 2015, arXiv:1512.02325)."""

    _class_layers = staticmethod(class_layers.default_boxes)

    def _losses(
        self, outputs: DenseOutput, anchors: list[Tensor], truth: list[dict[str, Tensor]]
    ) -> dict[str, Tensor]:
        matched = [self._match(target["boxes"], outputs.anchors) for target in truth]
        losses: dict[str, Tensor] = self.net.compute_loss(truth, outputs.heads, anchors, matched)
        return losses

    def _match(self, boxes: Tensor, anchors: Tensor) -> Tensor:
        """The box that each anchor learns, -1 for none: (a,)."""
        if not len(boxes):
            return torch.full((len(anchors),), -1, dtype=torch.int64, device=anchors.device)
        matched: Tensor = self.net.proposal_matcher(box_iou(boxes, anchors))
        return matched

    def _postprocess(
        self, owner: Any, outputs: DenseOutput, sizes: list[tuple[int, int]]
    ) -> list[dict[str, Tensor]]:
        anchors = [outputs.anchors] * len(sizes)
        detections: list[dict[str, Tensor]] = owner.postprocess_detections(
            outputs.heads, anchors, sizes
        )
        return detections
