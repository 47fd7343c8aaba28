"""Heads that look once, at every anchor: RetinaNet, FCOS and SSD, with torchvision's layers,
matching, losses and suppression."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models import detection
from torchvision.models.detection.anchor_utils import DefaultBoxGenerator
from torchvision.models.detection.fcos import FCOSHead
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.retinanet import RetinaNetHead
from torchvision.models.detection.ssd import SSD as TorchvisionSSD
from torchvision.models.detection.ssd import SSDHead
from torchvision.ops import box_iou

from detzoo_torchvision import class_layers
from detzoo_torchvision.detector import input_sizes, with_thresholds
from detzoo_torchvision.one_stage import OneStageOutput
from detzoo_torchvision.parts.anchors import StridedAnchors
from detzoo_torchvision.parts.hollow import Bodyless, hollow, thresholds_of, to_detections
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


class DenseHead(nn.Module, ABC):
    """A torchvision network without its backbone and transform, which are the pipeline's.

    background: 1 where channel 0 is background and label n is channel n + 1.
    """

    background = 0
    _class_layers = staticmethod(class_layers.focal)

    def __init__(self, net: nn.Module, label_space: LabelSpace) -> None:
        super().__init__()
        self.defaults = thresholds_of(net)
        self.net: Any = hollow(net)
        self.label_space = label_space

    def forward(self, maps: tuple[Tensor, ...], batch: Batch) -> OneStageOutput:
        """What the head says at every anchor, in float32."""
        heads = {name: output.float() for name, output in self.net.head(list(maps)).items()}
        return OneStageOutput(
            heads, self._anchors(maps, batch), tuple(one.shape[-2] * one.shape[-1] for one in maps)
        )

    def decode(self, raw: OneStageOutput, batch: Batch, thresholds: Thresholds) -> list[Detections]:
        """torchvision's own postprocessing at these thresholds, in original pixels."""
        with torch.no_grad():
            found = self._found(with_thresholds(self.net, thresholds), raw, input_sizes(batch))
        return to_detections(found, batch, self.label_space, background=self.background)

    def loss(
        self, raw: OneStageOutput, batch: Batch, targets: Sequence[Target]
    ) -> dict[str, Tensor]:
        """`classification` and `bbox_regression`, and FCOS's `bbox_ctrness`."""
        truth = [
            {"boxes": one.boxes, "labels": one.labels + self.background}
            for one in targets_to_input(batch, targets, self.label_space)
        ]
        return self._losses(raw, truth)

    def class_layers(self) -> list[ClassLayer]:
        """The layers with rows for classes."""
        channels = (*[-1] * self.background, *range(len(self.label_space)))
        return [layer.within("net") for layer in self._class_layers(self.net, channels)]

    def _anchors(self, maps: tuple[Tensor, ...], batch: Batch) -> Tensor:  # noqa: ARG002 - SSD's anchors depend on the input's size
        anchors: Tensor = self.net.anchor_generator.on(maps)
        return anchors

    def _found(
        self, net: Any, raw: OneStageOutput, sizes: list[tuple[int, int]]
    ) -> list[dict[str, Tensor]]:
        """What `net` keeps of each image: the best candidates of each level, then suppression."""
        per_cell = len(raw.anchors) // sum(raw.cells)
        levels = [per_cell * cells for cells in raw.cells]
        heads = {
            name: list(torch.split(output, levels, dim=1)) for name, output in raw.heads.items()
        }
        found: list[dict[str, Tensor]] = net.postprocess_detections(
            heads, [list(torch.split(raw.anchors, levels))] * len(sizes), sizes
        )
        return found

    @abstractmethod
    def _losses(self, raw: OneStageOutput, truth: list[dict[str, Tensor]]) -> dict[str, Tensor]:
        """torchvision's losses; boxes of the truth are in input pixels, labels are channels."""


class RetinaNet(DenseHead):
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
        scale: float = 4.0,
        ratios: Sequence[float] = (0.5, 1.0, 2.0),
    ) -> None:
        LevelRequirements(equal_channels=True).check(levels, part="retinanet")
        channels = levels[0].channels
        sizes = [
            [int(scale * level.stride * 2 ** (third / 3)) for third in range(3)] for level in levels
        ]
        anchors = StridedAnchors(levels, sizes=sizes, ratios=ratios)
        head = RetinaNetHead(channels, anchors.num_anchors_per_location()[0], len(label_space))
        super().__init__(
            detection.RetinaNet(
                Bodyless(channels), len(label_space), anchor_generator=anchors, head=head
            ),
            label_space,
        )

    def _losses(self, raw: OneStageOutput, truth: list[dict[str, Tensor]]) -> dict[str, Tensor]:
        losses: dict[str, Tensor] = self.net.compute_loss(
            truth, raw.heads, [raw.anchors] * len(truth)
        )
        return losses


class FCOS(DenseHead):
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
                Bodyless(channels), len(label_space), anchor_generator=anchors, head=head
            ),
            label_space,
        )

    def _losses(self, raw: OneStageOutput, truth: list[dict[str, Tensor]]) -> dict[str, Tensor]:
        losses: dict[str, Tensor] = self.net.compute_loss(
            truth, raw.heads, [raw.anchors] * len(truth), list(raw.cells)
        )
        return losses


class SSD(DenseHead):
    """Default boxes on maps of any channels, one layer a map (Liu et al., arXiv:1512.02325).

    smallest, largest: the side of the default boxes of the finest and the coarsest map, as a
        fraction of the input's.
    ratios:            their width to height; each also upside down.
    """

    background = 1
    _class_layers = staticmethod(class_layers.default_boxes)

    def __init__(
        self,
        *,
        levels: tuple[FeatureLevel, ...],
        label_space: LabelSpace,
        smallest: float = 0.1,
        largest: float = 0.9,
        ratios: Sequence[float] = (2.0, 3.0),
    ) -> None:
        channels = [level.channels for level in levels]
        boxes = DefaultBoxGenerator(
            [list(ratios) for _ in levels],
            min_ratio=smallest,
            max_ratio=largest,
            steps=[level.stride for level in levels],
        )
        head = SSDHead(channels, boxes.num_anchors_per_location(), len(label_space) + 1)
        super().__init__(
            TorchvisionSSD(Bodyless(channels), boxes, (1, 1), len(label_space) + 1, head=head),
            label_space,
        )

    def _anchors(self, maps: tuple[Tensor, ...], batch: Batch) -> Tensor:
        one = ImageList(
            batch.pixels, [(0, 0)]
        )  # only its length counts: the boxes are the same in all images
        (boxes,) = self.net.anchor_generator(one, [each.float() for each in maps])
        found: Tensor = boxes
        return found

    def _found(
        self, net: Any, raw: OneStageOutput, sizes: list[tuple[int, int]]
    ) -> list[dict[str, Tensor]]:
        found: list[dict[str, Tensor]] = net.postprocess_detections(
            raw.heads, [raw.anchors] * len(sizes), sizes
        )
        return found

    def _losses(self, raw: OneStageOutput, truth: list[dict[str, Tensor]]) -> dict[str, Tensor]:
        matched = [self._match(one["boxes"], raw.anchors) for one in truth]
        losses: dict[str, Tensor] = self.net.compute_loss(
            truth, raw.heads, [raw.anchors] * len(truth), matched
        )
        return losses

    def _match(self, boxes: Tensor, anchors: Tensor) -> Tensor:
        """The box each default box learns, -1 for none: `(a,)`."""
        if not len(boxes):
            return torch.full((len(anchors),), -1, dtype=torch.int64, device=anchors.device)
        matched: Tensor = self.net.proposal_matcher(box_iou(boxes, anchors))
        return matched
