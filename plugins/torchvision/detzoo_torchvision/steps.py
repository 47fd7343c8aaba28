"""Decoding and truths of torchvision networks: shared by whole detectors and by heads of composed
ones."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

import torch
from torch import Tensor

from zoo.contract import Batch, ClassLayer, InputTransform, Target, Thresholds, targets_to_input
from zoo.detections import Detections
from zoo.labels import LabelSpace


class TorchvisionSteps(ABC):
    """The steps behind the network: `net` is torchvision's, with its backbone or without."""

    net: Any  # torchvision has no types
    label_space: LabelSpace

    @property
    @abstractmethod
    def channels(self) -> tuple[int, ...]:
        """The label of each class channel, -1 for background and unused ones."""

    def decode(self, outputs: Any, batch: Batch, thresholds: Thresholds) -> list[Detections]:
        """torchvision's own postprocessing at these thresholds, in original pixels; background and
        unused channels are dropped."""
        owner = with_thresholds(self._owner(self.net), thresholds)
        with torch.no_grad():
            detections = self._postprocess(owner, outputs, input_sizes(batch))
        label_of_channel = torch.tensor(self.channels)
        return [
            self._detections(columns, transform, label_of_channel)
            for columns, transform in zip(detections, batch.transforms, strict=True)
        ]

    def class_layers(self) -> list[ClassLayer]:
        """The layers of `net` with rows for its channels."""
        return [layer.within("net") for layer in self._class_layers(self.net, self.channels)]

    @staticmethod
    def _owner(net: Any) -> Any:
        """The part of `net` that holds thresholds (`score_thresh`, …) and postprocessing."""
        return net

    @staticmethod
    @abstractmethod
    def _class_layers(net: Any, channels: Sequence[int]) -> list[ClassLayer]:
        """The same by torchvision's names."""

    @abstractmethod
    def _postprocess(
        self, owner: Any, outputs: Any, sizes: list[tuple[int, int]]
    ) -> list[dict[str, Tensor]]:
        """One dict of `boxes` (in input pixels), `scores` and `labels` (channels) per image, best
        first."""

    def _to_original(self, boxes: Tensor, transform: InputTransform) -> Tensor:
        return transform.to_original(boxes)

    def _truth(self, batch: Batch, targets: Sequence[Target]) -> list[dict[str, Tensor]]:
        """The targets as torchvision takes them: boxes in input pixels, labels as channels."""
        channel_of_label = {label: channel for channel, label in enumerate(self.channels)}
        channels = torch.tensor([channel_of_label[row] for row in range(len(self.label_space))])
        channels = channels.to(batch.pixels.device)
        truth = targets_to_input(batch, targets, self.label_space)
        return [{"boxes": target.boxes, "labels": channels[target.labels]} for target in truth]

    def _detections(
        self, columns: Mapping[str, Tensor], transform: InputTransform, label_of_channel: Tensor
    ) -> Detections:
        boxes = self._to_original(columns["boxes"].float(), transform).cpu()  # (n, 4)
        scores = columns["scores"].float().cpu()
        labels = label_of_channel[columns["labels"].cpu()]  # (n,)
        in_space = labels >= 0
        size = (transform.height, transform.width)
        return Detections(
            boxes[in_space], scores[in_space], labels[in_space], self.label_space, size=size
        )


def thresholds_of(owner: Any) -> Thresholds:
    """The thresholds that a torchvision network, or its second stage, was built with."""
    return Thresholds(
        score=owner.score_thresh, iou=owner.nms_thresh, max_boxes=owner.detections_per_img
    )


def with_thresholds(owner: Any, thresholds: Thresholds) -> Any:
    """`owner` at these thresholds: a shallow copy that shares every layer, because threads may
    share `owner` itself."""
    changed = copy(owner)
    changed.score_thresh = thresholds.score
    changed.nms_thresh = thresholds.iou
    changed.detections_per_img = thresholds.max_boxes
    return changed


def float32_maps(maps: Sequence[Tensor]) -> list[Tensor]:
    """Stand-ins for maps, of their shapes and in float32, which anchors then are in too: bfloat16
    rounds 1,000 pixels to 8."""
    return [_in_float32(features) for features in maps]


def _in_float32(features: Tensor) -> Tensor:
    if features.dtype == torch.float32:
        return features
    return features.new_empty(1, dtype=torch.float32).expand(features.shape)


def input_sizes(batch: Batch) -> list[tuple[int, int]]:
    """`(height, width)` of each image in the network's input, without padding."""
    return [input_size(transform) for transform in batch.transforms]


def input_size(transform: InputTransform) -> tuple[int, int]:
    """`(height, width)` of one image in the network's input, without padding."""
    return round(transform.height * transform.scale_y), round(transform.width * transform.scale_x)
