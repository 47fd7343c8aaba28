"""The decoupled head: at every level one branch says what, the other where and whether
(arXiv:2107.08430, section 2.1).

After `yolox/models/yolo_head.py` in Megvii-BaseDetection/YOLOX, under its names.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from detzoo_yolox.blocks import Activation, BaseConv, spatial_conv
from detzoo_yolox.decode import decode
from detzoo_yolox.loss import losses
from detzoo_yolox.outputs import Grid, YoloxOutput
from zoo.contract import (
    Batch,
    ClassLayer,
    Count,
    FeatureLevel,
    InputTransform,
    Target,
    Thresholds,
    targets_to_input,
)
from zoo.detections import Detections
from zoo.errors import ContractError
from zoo.labels import LabelSpace

# The reference's evaluation (`yolox/exp/yolox_base.py`: test_conf, nmsthre); COCO counts 100 boxes
# an image.
DEFAULTS = Thresholds(score=0.01, iou=0.65, max_boxes=100)
PRIOR = 0.01


class PriorConv(nn.Conv2d):
    """A 1x1 convolution to logits that starts by saying 1 % everywhere (Lin et al., Focal Loss,
    arXiv:1708.02002, 3.3)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, kernel_size=1)

    def reset_parameters(self) -> None:
        """The usual random weights, and a bias whose sigmoid is the prior."""
        super().reset_parameters()
        if self.bias is not None:
            nn.init.constant_(self.bias, math.log(PRIOR / (1 - PRIOR)))


class DecoupledHead(nn.Module):
    """Boxes, objectness and classes of every cell of every level.

    levels:      the maps it takes, of any strides and channels.
    label_space: one class channel for each of its channels.
    channels:    the width of both branches.
    depthwise:   3x3 convolutions split into depthwise and pointwise.
    activation:  `silu`, or `leaky_relu` behind Darknet-53.
    l1:          train on the distance of raw box values as well, as the published training did in
                 its last 15 epochs.
    """

    def __init__(
        self,
        *,
        levels: tuple[FeatureLevel, ...],
        label_space: LabelSpace,
        channels: Count = 256,
        depthwise: bool = False,
        activation: Activation = "silu",
        l1: bool = False,
    ) -> None:
        super().__init__()
        self.defaults = DEFAULTS
        self.levels = levels
        self.label_space = label_space
        self.l1 = l1

        def branch() -> nn.Sequential:
            convs = (
                spatial_conv(channels, channels, depthwise=depthwise, activation=activation)
                for _ in range(2)
            )
            return nn.Sequential(*convs)

        self.stems = nn.ModuleList(
            BaseConv(level.channels, channels, activation=activation) for level in levels
        )
        self.cls_convs = nn.ModuleList(branch() for _ in levels)
        self.reg_convs = nn.ModuleList(branch() for _ in levels)
        self.cls_preds = nn.ModuleList(
            PriorConv(channels, len(label_space.channels)) for _ in levels
        )
        self.reg_preds = nn.ModuleList(nn.Conv2d(channels, 4, kernel_size=1) for _ in levels)
        self.obj_preds = nn.ModuleList(PriorConv(channels, 1) for _ in levels)

    def forward(
        self,
        maps: tuple[Tensor, ...],
        batch: Batch | None = None,  # noqa: ARG002 - the maps are enough
        targets: Sequence[Target] | None = None,  # noqa: ARG002
    ) -> YoloxOutput:
        """One `(b, channels, h, w)` a level to the raw values of all their cells: logits in train
        mode, else probabilities."""
        values, grids = [], []
        for index, (features, level) in enumerate(zip(maps, self.levels, strict=True)):
            values.append(
                self._level(index, features).flatten(2).transpose(1, 2)
            )  # (b, h * w, 5 + n)
            height, width = features.shape[-2:]
            grids.append(Grid(height, width, level.stride))
        return YoloxOutput(
            torch.cat(values, dim=1), tuple(grids), logits=self.training
        )  # (b, cells, 5 + n)

    def _level(self, index: int, features: Tensor) -> Tensor:
        stem = self.stems[index](features)
        class_features, box_features = self.cls_convs[index](stem), self.reg_convs[index](stem)
        scores = torch.cat(
            [self.obj_preds[index](box_features), self.cls_preds[index](class_features)], dim=1
        )  # (b, 1 + n, h, w)
        return torch.cat(
            [self.reg_preds[index](box_features), scores if self.training else scores.sigmoid()],
            dim=1,
        )  # (b, 5 + n, h, w)

    def decode(
        self, outputs: YoloxOutput, batch: Batch, thresholds: Thresholds
    ) -> list[Detections]:
        """The cells whose best class scores enough, overlaps within a class removed, without boxes
        outside the image."""
        candidates = decode(outputs, thresholds, channels=self._channels)
        return [
            self._detections(transform, *columns, limit=thresholds.max_boxes)
            for transform, columns in zip(batch.transforms, candidates, strict=True)
        ]

    def loss(
        self, outputs: YoloxOutput, batch: Batch, targets: Sequence[Target]
    ) -> dict[str, Tensor]:
        """`iou`, `objectness` and `classification` (and `l1` where switched on), weighted as
        published.

        Objects without area are left out, as in the reference's data loading.

        Raises:
            ContractError: `outputs` was made in eval mode.
            LabelError: a label is not in the label space.
        """
        if not outputs.logits:
            raise ContractError(
                "loss was called on YOLOX.",
                "The outputs were made in eval mode.",
                "Call model.train() before model(batch, targets).",
            )
        truth = targets_to_input(batch, targets, self.label_space)
        device = outputs.values.device
        channel_of_label = torch.tensor(self.label_space.channel_of_label, device=device)
        channels = [channel_of_label[target.labels] for target in truth]
        return losses(outputs, [target.boxes for target in truth], channels, l1=self.l1)

    def class_layers(self) -> list[ClassLayer]:
        """The last layer of each level's class branch."""
        return [
            ClassLayer(f"cls_preds.{index}", self.label_space.channels)
            for index in range(len(self.levels))
        ]

    def _detections(
        self,
        transform: InputTransform,
        boxes: Tensor,
        scores: Tensor,
        labels: Tensor,
        *,
        limit: int,
    ) -> Detections:
        """Detections in the original image, without those that lie in its padding."""
        boxes = transform.to_original(boxes)
        keep = (boxes[:, 2:] > boxes[:, :2]).all(dim=1).nonzero()[:limit, 0]
        return Detections(
            boxes[keep],
            scores[keep],
            labels[keep],
            self.label_space,
            size=(transform.height, transform.width),
        )

    @property
    def _channels(self) -> tuple[int, ...] | None:
        """The class channel of each label, None if it is the label itself."""
        channels = self.label_space.channel_of_label
        return None if channels == tuple(range(len(self.label_space.channels))) else channels
