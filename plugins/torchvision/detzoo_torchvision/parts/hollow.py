"""A torchvision detection network as a mere head: its body and its transform are the pipeline's
business."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from zoo.contract import Batch, InputTransform, Thresholds
from zoo.detections import Detections
from zoo.labels import LabelSpace


class Bodyless(nn.Module):
    """Stands where torchvision's builders want a backbone, and knows only how many channels it
    would have."""

    def __init__(self, channels: int | list[int]) -> None:
        super().__init__()
        self.out_channels = channels


def hollow(net: nn.Module) -> nn.Module:
    """The network without backbone and transform."""
    del net.backbone, net.transform
    return net


def thresholds_of(owner: nn.Module) -> Thresholds:
    """The thresholds a torchvision network, or its second stage, was built with."""
    of: Any = owner  # torchvision has no types
    return Thresholds(score=of.score_thresh, iou=of.nms_thresh, max_boxes=of.detections_per_img)


def to_detections(
    found: Sequence[Mapping[str, Tensor]], batch: Batch, label_space: LabelSpace, *, background: int
) -> list[Detections]:
    """torchvision's dicts of boxes in input pixels, scores and channels as detections in original
    pixels, on the CPU."""
    return [
        _detections(one, place, label_space, background)
        for one, place in zip(found, batch.places, strict=True)
    ]


def _detections(
    found: Mapping[str, Tensor], place: InputTransform, label_space: LabelSpace, background: int
) -> Detections:
    boxes = place.to_original(found["boxes"].float()).cpu()  # (n, 4)
    labels = found["labels"].cpu() - background
    return Detections(
        boxes, found["scores"].float().cpu(), labels, label_space, size=(place.height, place.width)
    )
