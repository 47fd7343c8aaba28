"""From raw values to boxes that do not repeat each other.

As `postprocess` in `yolox/utils/boxes.py` of Megvii-BaseDetection/YOLOX: a cell's score is objectness times its best class, and
suppression acts within a class.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torchvision.ops import batched_nms

from detzoo_yolox.raw import Raw, to_boxes

Found = tuple[Tensor, Tensor, Tensor]


def decode(raw: Raw, *, channels: Sequence[int] | None, score: float, iou: float, max_boxes: int) -> list[Found]:
    """Boxes `(k, 4)` in input pixels, scores `(k,)` and labels `(k,)` of each picture, best first, on the CPU.

    channels: the class channel of each label; None where they are the same.
    """
    pictures, boxes, scores, labels = (part.cpu() for part in _candidates(raw, channels, score))
    counts = pictures.bincount(minlength=len(raw.values)).tolist()
    found = zip(boxes.split(counts), scores.split(counts), labels.split(counts), strict=True)
    return [_suppress(one, iou=iou, max_boxes=max_boxes) for one in found]


def _candidates(raw: Raw, channels: Sequence[int] | None, score: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Picture, box, score and label of every cell whose score reaches the threshold, picture by picture."""
    objectness = raw.values[..., 4].sigmoid() if raw.logits else raw.values[..., 4]
    picture, cell = (objectness >= score).nonzero(as_tuple=True)  # no class lifts a score above its objectness
    rows = raw.values[picture, cell].float()  # (k, 5 + n)
    certainty = rows[:, 4:].sigmoid() if raw.logits else rows[:, 4:]
    classes = certainty[:, 1:] if channels is None else certainty[:, 1:][:, list(channels)]
    best, label = classes.max(dim=1)
    scores = certainty[:, 0] * best
    keep = scores >= score
    boxes = to_boxes(rows[keep], raw.cells()[cell[keep]])
    return picture[keep], boxes, scores[keep], label[keep]


def _suppress(found: Found, *, iou: float, max_boxes: int) -> Found:
    boxes, scores, labels = found
    keep = batched_nms(boxes, scores, labels, iou)[:max_boxes]
    return boxes[keep], scores[keep], labels[keep]
