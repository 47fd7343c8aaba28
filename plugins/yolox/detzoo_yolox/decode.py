"""From raw values to boxes that do not repeat each other.

As `postprocess` in `yolox/utils/boxes.py` of Megvii-BaseDetection/YOLOX: a cell's score is
objectness times its best class, and suppression acts within a class.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from detzoo_yolox.outputs import YoloxOutput, to_boxes
from zoo.detections.suppress import nms
from zoo.detectors import Thresholds

Found = tuple[Tensor, Tensor, Tensor]


def decode(
    outputs: YoloxOutput, thresholds: Thresholds, *, channels: Sequence[int] | None = None
) -> list[Found]:
    """Boxes `(k, 4)` in input pixels, scores `(k,)` and labels `(k,)` of each image, best first,
    on the CPU.

    thresholds: how many boxes an image may have is not applied
        here.
    channels: the class channel of each label; None where they are the same.
    """
    picture, *found = (part.cpu() for part in _candidates(outputs, thresholds, channels))
    counts = picture.bincount(minlength=len(outputs.values)).tolist()
    parts = zip(*(torch.split(part, counts) for part in found), strict=True)
    return [_suppress(boxes, scores, labels, thresholds) for boxes, scores, labels in parts]


def _candidates(
    outputs: YoloxOutput, thresholds: Thresholds, channels: Sequence[int] | None
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Image, box, score and label of every cell whose score reaches the threshold, image by
    picture."""
    floor = thresholds.score
    objectness = outputs.values[..., 4].sigmoid() if outputs.logits else outputs.values[..., 4]
    picture, cell = (objectness >= floor).nonzero(
        as_tuple=True
    )  # no class lifts a score above its objectness
    rows = outputs.values[picture, cell].float()  # (k, 5 + n)
    chances = rows[:, 4:].sigmoid() if outputs.logits else rows[:, 4:]  # (k, 1 + n)
    classes = chances[:, 1:] if channels is None else chances[:, 1:][:, list(channels)]
    best, label = classes.max(dim=1)
    score = chances[:, 0] * best
    keep = score >= floor
    boxes = to_boxes(rows[keep], outputs.cells()[cell[keep]])
    return picture[keep], boxes, score[keep], label[keep]


def _suppress(boxes: Tensor, scores: Tensor, labels: Tensor, thresholds: Thresholds) -> Found:
    order = scores.argsort(descending=True, stable=True)
    found = boxes[order], scores[order], labels[order]
    return found if thresholds.iou is None else nms(found, iou=thresholds.iou, class_agnostic=False)
