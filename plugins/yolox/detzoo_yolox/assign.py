"""SimOTA: which cells learn which object, decided again at every step from what the network says
now.

Ge et al., YOLOX (arXiv:2107.08430), section 2.1, which simplifies the optimal transport of OTA
(arXiv:2103.14259): every object takes the k cells that cost it least, where k is about how many
predicted boxes fit it already. Constants as in `yolox/models/yolo_head.py` of
Megvii-BaseDetection/YOLOX at commit 02aecba.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from zoo.boxes import box_iou

CENTER_RADIUS = 2.5  # cells around an object's center that may learn it
CANDIDATES = 10  # best boxes whose IoUs sum to k
IOU_WEIGHT = 3.0
OUTSIDE = 1e5  # the cost of a cell that is not both in the box and near its center


@dataclass(frozen=True)
class Assignment:
    """The cells that learn an object.

    cells:   (m,) int64, each at most once.
    objects: (m,) int64, which object each learns.
    ious:    (m,) how well each fits its object now.
    """

    cells: Tensor
    objects: Tensor
    ious: Tensor


@torch.no_grad()
def assign(
    *, boxes: Tensor, logits: Tensor, cells: Tensor, objects: Tensor, channels: Tensor
) -> Assignment:
    """Matches the predictions of one image to its objects.

    boxes:    (a, 4) predicted, xyxy in input pixels.
    logits:   (a, 1 + n) objectness and classes.
    cells:    (a, 3) column, row and stride.
    objects:  (g, 4) the true boxes, xyxy in input pixels; g may be 0.
    channels: (g,) the class channel of each object.
    """
    inside, near = _inside(cells, objects), _near(cells, objects)  # (g, a)
    candidates = (inside | near).any(dim=0).nonzero()[:, 0]  # (c,)
    if len(candidates) == 0:
        return Assignment(candidates, candidates, boxes.new_zeros(0))
    ious = box_iou(objects, boxes[candidates])  # (g, c)
    cost = (
        _class_cost(logits[candidates], channels)
        - IOU_WEIGHT * (ious + 1e-8).log()
        + OUTSIDE * ~(inside & near)[:, candidates]
    )
    matched = _cheapest(cost, ious)  # (g, c)
    assigned = matched.any(dim=0)  # (c,)
    who = matched[:, assigned].int().argmax(dim=0)  # (m,)
    return Assignment(candidates[assigned], who, ious[:, assigned].gather(0, who[None])[0])


def _centers(cells: Tensor) -> Tensor:
    return (cells[:, :2] + 0.5) * cells[:, 2:]  # (a, 2)


def _inside(cells: Tensor, objects: Tensor) -> Tensor:
    """`(g, a)`: the cell's center lies in the object's box."""
    centers = _centers(cells)
    return ((centers > objects[:, None, :2]) & (centers < objects[:, None, 2:])).all(dim=-1)


def _near(cells: Tensor, objects: Tensor) -> Tensor:
    """`(g, a)`: the cell's center lies within a few cells of the object's center, along both
    axes."""
    middle = (objects[:, None, :2] + objects[:, None, 2:]) / 2  # (g, 1, 2)
    return ((_centers(cells) - middle).abs() < CENTER_RADIUS * cells[:, 2:]).all(dim=-1)


def _class_cost(logits: Tensor, channels: Tensor) -> Tensor:
    """`(g, c)`: binary cross entropy, summed over classes, of sqrt(objectness * class) against the
    object's class.

    Summed as "all classes wrong" plus what the right one changes, so that no (g, c, n) tensor is
    made.
    """
    chance = logits.sigmoid()
    joint = (chance[:, :1] * chance[:, 1:]).sqrt()  # (c, n)
    yes, no = (
        -joint.log().clamp(min=-100),
        -(-joint).log1p().clamp(min=-100),
    )  # bounded as in torch's binary_cross_entropy
    return (no.sum(dim=1, keepdim=True) + (yes - no)[:, channels]).T


def _cheapest(cost: Tensor, ious: Tensor) -> Tensor:
    """`(g, c)` bool: every object's k cheapest cells; a cell that several objects took goes to the
    one it costs least."""
    most = min(CANDIDATES, cost.shape[1])
    counts = ious.topk(most, dim=1).values.sum(dim=1).int().clamp(min=1)  # (g,)
    order = cost.topk(most, dim=1, largest=False).indices  # (g, most)
    chosen = torch.arange(most, device=cost.device) < counts[:, None]  # (g, most)
    matched = torch.zeros_like(cost, dtype=torch.bool).scatter_(1, order, chosen)
    contested = matched.sum(dim=0) > 1  # (c,)
    cheapest = torch.zeros_like(matched).scatter_(0, cost.argmin(dim=0)[None], True)
    return torch.where(contested, cheapest, matched)
