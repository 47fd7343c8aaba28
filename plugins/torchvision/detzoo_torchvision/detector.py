"""What torchvision's four families share: preprocessing, thresholds, channels and tensor names."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

import torch
from torch import Tensor
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.transform import resize_boxes

from detzoo_torchvision.checkpoints import renamed
from detzoo_torchvision.norms import set_frozen_eps
from detzoo_torchvision.preprocess import TorchvisionPreprocess
from zoo import Detector, LabelSpace
from zoo.contract import ClassLayer, Thresholds, targets_to_input
from zoo.detections import Detections
from zoo.detectors import Batch, InputTransform, Target
from zoo.errors import ContractError


class TorchvisionDetector(Detector):
    """A torchvision detection network, `net`, whose fused forward is taken apart into the zoo's
    steps.

    The arithmetic is torchvision's own, in its own order: outputs and losses are bit-equal to
    calling `net`. Nothing of `net` changes in a call, so threads may share a detector.

    owner: the part of `net` that holds the thresholds (`score_thresh`, `nms_thresh`,
        `detections_per_img`).
    """

    def __init__(
        self, net: Any, *, label_space: LabelSpace, owner: Any
    ) -> None:  # torchvision has no types
        defaults = Thresholds(
            score=owner.score_thresh, iou=owner.nms_thresh, max_boxes=owner.detections_per_img
        )
        super().__init__(
            label_space=label_space,
            defaults=defaults,
            preprocess=TorchvisionPreprocess.of(net.transform),
        )
        del net.transform
        self.net = net

    def decode(self, raw: Any, batch: Batch, thresholds: Thresholds) -> list[Detections]:
        """torchvision's own postprocessing at these thresholds; its background and unused channels
        are dropped."""
        with torch.no_grad():
            found = self._found(raw, self._images(batch), thresholds)
        label_of_channel = torch.tensor(self.label_space.channels)
        return [
            self._detections(one, size, place, label_of_channel)
            for one, size, place in zip(found, input_sizes(batch), batch.places, strict=True)
        ]

    def from_checkpoint(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """torchvision's names, of any version, or this module's own."""
        return renamed(state, frozenset(self.state_dict()))

    def class_layers(self) -> list[ClassLayer]:
        """The layers of `net` with rows for its channels."""
        return [
            layer.within("net") for layer in self._class_layers(self.net, self.label_space.channels)
        ]

    @staticmethod
    @abstractmethod
    def _class_layers(net: Any, channels: Sequence[int]) -> list[ClassLayer]:
        """The same by torchvision's names."""

    def post_load(self, settings: Mapping[str, Any]) -> None:
        """Sets `frozen_bn_eps`; a network without frozen norms refuses it."""
        others = {name: value for name, value in settings.items() if name != "frozen_bn_eps"}
        super().post_load(others)
        if "frozen_bn_eps" not in settings:
            return
        eps = settings["frozen_bn_eps"]
        if isinstance(eps, bool) or not isinstance(eps, int | float) or not 0 <= eps < math.inf:
            raise ContractError(
                f"A card asks for frozen_bn_eps: {eps!r:.60} after loading.",
                "That is not a number of at least 0.",
                "Write for example post_load: {frozen_bn_eps: 0.0}.",
            )
        if not set_frozen_eps(self.net, float(eps)):
            super().post_load(settings)

    @abstractmethod
    def _found(
        self, raw: Any, images: ImageList, thresholds: Thresholds
    ) -> list[dict[str, Tensor]]:
        """One dict of `boxes` (in input pixels), `scores` and `labels` (channels) an image, best
        first."""

    def _images(self, batch: Batch) -> ImageList:
        return ImageList(batch.pixels, input_sizes(batch))

    def _detections(
        self,
        found: Mapping[str, Tensor],
        size: tuple[int, int],
        place: InputTransform,
        label_of_channel: Tensor,
    ) -> Detections:
        original = (place.height, place.width)
        boxes = resize_boxes(found["boxes"].float(), size, original).cpu()  # (n, 4)
        labels = label_of_channel[found["labels"].cpu()]  # (n,)
        seen = labels >= 0
        return Detections(
            boxes[seen],
            found["scores"].float().cpu()[seen],
            labels[seen],
            self.label_space,
            size=original,
        )

    def _truth(self, batch: Batch, targets: Sequence[Target]) -> list[dict[str, Tensor]]:
        """The targets as torchvision takes them: boxes in input pixels, labels as channels."""
        channel_of_label = torch.tensor(self.label_space.channel_of_label, device=self.device)
        truth = targets_to_input(batch, targets, self.label_space)
        return [
            {"boxes": target.boxes, "labels": channel_of_label[target.labels]} for target in truth
        ]


def with_thresholds(owner: Any, thresholds: Thresholds) -> Any:
    """`owner` at these thresholds: a shallow copy that shares every layer, because threads may
    share `owner` itself."""
    changed = copy(owner)
    changed.score_thresh, changed.nms_thresh, changed.detections_per_img = (
        thresholds.score,
        thresholds.iou,
        thresholds.max_boxes,
    )
    return changed


def whole(maps: Sequence[Tensor]) -> list[Tensor]:
    """Stand-ins for maps, of their shapes and in float32, which anchors then are in too: bfloat16
    rounds 1,000 pixels to 8."""
    return [
        one
        if one.dtype == torch.float32
        else one.new_empty(1, dtype=torch.float32).expand(one.shape)
        for one in maps
    ]


def input_sizes(batch: Batch) -> list[tuple[int, int]]:
    """`(height, width)` of each image in the network's input, without padding."""
    return [
        (round(place.height * place.scale_y), round(place.width * place.scale_x))
        for place in batch.places
    ]
