"""YOLOX's losses: IoU of the boxes, and binary cross entropy of objectness and classes
(arXiv:2107.08430, section 2.1).

Weights and normalisation as in `yolox/models/yolo_head.py` of Megvii-BaseDetection/YOLOX.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, l1_loss, one_hot

from detzoo_yolox.assign import Assignment, assign
from detzoo_yolox.outputs import YoloxOutput, to_boxes
from zoo.contract import count_in_batch

IOU_WEIGHT = 5.0


def losses(
    outputs: YoloxOutput, objects: Sequence[Tensor], channels: Sequence[Tensor], *, l1: bool = False
) -> dict[str, Tensor]:
    """Weighted scalar losses of raw logits, each summed and divided by how many cells learn an
    object (at least 1), in the shares of all processes together.

    objects:  (g, 4) true boxes of each image, xyxy in input pixels, of positive area; g may be 0.
    channels: (g,) their class channels.
    l1:       also the distance of the four raw box values, as in the last epochs of the published
              training.
    """
    values, cells = outputs.values.float(), outputs.cells()
    boxes = to_boxes(values, cells)  # (b, a, 4)
    assigned = [
        assign(
            boxes=boxes[row],
            logits=values[row, :, 4:],
            cells=cells,
            objects=objects[row],
            channels=channels[row],
        )
        for row in range(len(values))
    ]
    image, cell = _rows(assigned)
    true_boxes = torch.cat(
        [box[matches.objects] for box, matches in zip(objects, assigned, strict=True)]
    )  # (m, 4)
    true_channels = torch.cat(
        [channel[matches.objects] for channel, matches in zip(channels, assigned, strict=True)]
    )  # (m,)
    ious = torch.cat([matches.ious for matches in assigned])  # (m,)

    learned = values[image, cell]  # (m, 5 + n)
    quality = one_hot(true_channels, values.shape[-1] - 5) * ious[:, None]  # (m, n)
    occupied = torch.zeros_like(values[..., 4]).index_put_(
        (image, cell), torch.ones_like(ious)
    )  # (b, a)
    sums = {
        "iou": IOU_WEIGHT * (1 - _iou(boxes[image, cell], true_boxes).square()).sum(),
        "objectness": binary_cross_entropy_with_logits(values[..., 4], occupied, reduction="sum"),
        "classification": binary_cross_entropy_with_logits(
            learned[:, 5:], quality, reduction="sum"
        ),
    }
    if l1:
        sums["l1"] = l1_loss(learned[:, :4], _to_values(true_boxes, cells[cell]), reduction="sum")
    count = count_in_batch(len(cell), images=len(values), device=values.device)
    return {name: total / count for name, total in sums.items()}


def _rows(assigned: Sequence[Assignment]) -> tuple[Tensor, Tensor]:
    """Image and cell of every assignment, both `(m,)`."""
    cell = torch.cat([matches.cells for matches in assigned])
    counts = torch.tensor([len(matches.cells) for matches in assigned], device=cell.device)
    return torch.arange(len(assigned), device=cell.device).repeat_interleave(counts), cell


def _iou(boxes: Tensor, others: Tensor) -> Tensor:
    """Intersection over union of boxes `(m, 4)`, row by row, `(m,)`."""
    overlap = (
        (torch.minimum(boxes[:, 2:], others[:, 2:]) - torch.maximum(boxes[:, :2], others[:, :2]))
        .clamp(min=0)
        .prod(dim=1)
    )
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(dim=1) + (others[:, 2:] - others[:, :2]).prod(dim=1)
    return overlap / (areas - overlap)


def _to_values(boxes: Tensor, cells: Tensor) -> Tensor:
    """The way back from `to_boxes`: the raw values `(m, 4)` that would have put these boxes at
    these cells."""
    corner, stride = cells[:, :2], cells[:, 2:]
    center, size = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    return torch.cat([center / stride - corner, (size / stride).log()], dim=1)  # (m, 4)
