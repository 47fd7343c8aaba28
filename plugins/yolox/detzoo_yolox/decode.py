"""Decodes the values of cells to boxes without duplicates.

As `postprocess` in `yolox/utils/boxes.py` of Megvii-BaseDetection/YOLOX: a cell's score is
objectness times its best class, and suppression acts within a class.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from detzoo_yolox.outputs import YoloxOutput, to_boxes
from zoo.detections.nms import nms
from zoo.detectors import Thresholds

Candidates = tuple[Tensor, Tensor, Tensor]  # boxes, scores and labels


def decode(
    outputs: YoloxOutput, thresholds: Thresholds, *, channels: Sequence[int] | None = None
) -> list[Candidates]:
    """Boxes `(k, 4)` in input pixels, scores `(k,)` and labels `(k,)` of each image, best first,
    on the CPU.

    thresholds: of score and IoU; the number of boxes is not limited here.
    channels:   the class channel of each label; None if they are the same.
    """
    image, *columns = (column.cpu() for column in _candidates(outputs, thresholds, channels))
    counts = image.bincount(minlength=len(outputs.values)).tolist()
    parts = zip(*(torch.split(column, counts) for column in columns), strict=True)
    return [_suppress(boxes, scores, labels, thresholds) for boxes, scores, labels in parts]


def _candidates(
    outputs: YoloxOutput, thresholds: Thresholds, channels: Sequence[int] | None
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Image, box, score and label of every cell whose score reaches the threshold, image by
    image."""
    floor = thresholds.score
    objectness = outputs.values[..., 4].sigmoid() if outputs.logits else outputs.values[..., 4]
    # No class lifts a score above its objectness.
    image, cell = (objectness >= floor).nonzero(as_tuple=True)
    rows = outputs.values[image, cell].float()  # (k, 5 + n)
    chances = rows[:, 4:].sigmoid() if outputs.logits else rows[:, 4:]  # (k, 1 + n)
    classes = chances[:, 1:] if channels is None else chances[:, 1:][:, list(channels)]
    best, label = classes.max(dim=1)
    score = chances[:, 0] * best
    keep = score >= floor
    boxes = to_boxes(rows[keep], outputs.cells()[cell[keep]])
    return image[keep], boxes, score[keep], label[keep]


def _suppress(boxes: Tensor, scores: Tensor, labels: Tensor, thresholds: Thresholds) -> Candidates:
    order = scores.argsort(descending=True, stable=True)
    candidates = boxes[order], scores[order], labels[order]
    return nms(candidates, iou=thresholds.iou, class_agnostic=False)
