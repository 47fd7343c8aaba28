"""NMS within and across classes, soft-NMS and weighted boxes fusion, as functions of columns.

Columns are boxes `(n, 4)` xyxy, scores `(n,)` and labels `(n,)`, best first; what comes back is
best first again. With `class_agnostic` boxes of different classes count as overlapping, too:
`zoo.inference.runner` applies it so where the protocol says `nms="all"`.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import torch
from torch import Tensor

from zoo.boxes import box_iou
from zoo.detections.check import number, whole_number

Policy: TypeAlias = Literal["nms", "soft", "soft-linear", "fuse"]
Columns: TypeAlias = tuple[Tensor, Tensor, Tensor]

FEW = 100  # boxes up to which suppressing them one by one takes no longer than torchvision


def nms(columns: Columns, *, iou: float, class_agnostic: bool) -> Columns:
    """Non-maximum suppression: a box that overlaps a better one by more than `iou` goes."""
    boxes, scores, labels = columns
    if len(boxes) < 2:  # nothing to overlap, as in many images
        return columns
    groups = torch.zeros_like(labels) if class_agnostic else labels
    exact = boxes.double()
    keep = (
        _of_few(exact, groups, iou) if len(boxes) <= FEW else _of_many(exact, scores, groups, iou)
    )
    return boxes[keep], scores[keep], labels[keep]


def _of_few(boxes: Tensor, groups: Tensor, iou: float) -> Tensor:
    """Which rows stay `(n,)`, box by box; they are best first."""
    beats = ((box_iou(boxes, boxes) > iou) & (groups[:, None] == groups)).triu(1)  # (n, n)
    keep = torch.ones(len(boxes), dtype=torch.bool)
    stays, spared = keep.numpy(), (~beats).numpy()
    for row in range(len(stays)):
        if stays[row]:
            stays &= spared[row]
    return keep


def _of_many(boxes: Tensor, scores: Tensor, groups: Tensor, iou: float) -> Tensor:
    """The rows that stay, by torchvision, in one pass: each group gets a plane of its own, in
    float64 to lose no precision."""
    # deferred: it imports torch's compiler, which takes longer than an image does
    from torchvision.ops import nms

    plane = float(boxes.max() - boxes.min()) + 1
    rows: Tensor = nms(boxes + (groups * plane)[:, None], scores.double(), iou)
    return rows.sort().values


def soft_nms(
    columns: Columns, *, iou: float | None, sigma: float, floor: float, class_agnostic: bool
) -> Columns:
    """Soft-NMS (Bodla et al., 2017, https://arxiv.org/abs/1704.04503): a box loses score for every
    better one that it overlaps.

    Without `iou` by the Gaussian exp(-overlap² / sigma); with it linearly, by 1 - overlap where
    that is at least `iou`. A box that falls below `floor` goes.
    """
    boxes, scores, labels = columns
    shared = box_iou(boxes, boxes).nan_to_num()  # (n, n), NaN between boxes without area
    shared = shared if class_agnostic else shared * (labels[:, None] == labels)
    keeps = (
        torch.exp(-(shared**2) / sigma) if iou is None else 1 - shared * (shared >= iou)
    )  # (n, n)
    done = torch.zeros(len(scores), dtype=torch.bool)
    order: list[int] = []
    for _ in range(len(scores)):
        best = int(scores.masked_fill(done, -1).argmax())
        if scores[best] < floor:
            break
        order.append(best)
        done[best] = True
        scores = torch.where(done, scores, scores * keeps[best])
    keep = torch.tensor(order, dtype=torch.int64)  # in falling order of the final scores
    return boxes[keep], scores[keep], labels[keep]


def fuse(columns: Columns, *, iou: float, models: int, class_agnostic: bool) -> Columns:
    """Weighted boxes fusion (Solovyev et al., 2021, https://arxiv.org/abs/1910.13302): boxes that
    agree become their mean.

    Best first, each box joins the fused box that it overlaps most, if by more than `iou`; a fused
    box is the score-weighted mean of its members, its score their mean. One that fewer than
    `models` members agree on keeps only that fraction of its score.
    """
    boxes, scores, labels = columns
    weights = scores.double().clamp(min=1e-9)
    corners = torch.zeros(
        len(scores), 4, dtype=torch.float64
    )  # the weighted sum of each cluster's members
    weight, total, members = (torch.zeros(len(scores), dtype=torch.float64) for _ in range(3))
    leaders: list[int] = []  # the first and best member of each cluster
    for row in range(len(scores)):
        cluster = len(leaders)
        if leaders:
            fused = corners[:cluster] / weight[:cluster, None]  # (clusters, 4)
            shared = box_iou(boxes[row : row + 1].double(), fused)[0].nan_to_num()  # (clusters,)
            shared = shared if class_agnostic else shared * (labels[leaders] == labels[row])
            best = int(shared.argmax())
            cluster = best if shared[best] > iou else cluster
        if cluster == len(leaders):
            leaders.append(row)
        corners[cluster] += boxes[row] * weights[row]
        weight[cluster] += weights[row]
        total[cluster] += scores[row]
        members[cluster] += 1
    count = len(leaders)
    agreed = (total / members * members.clamp(max=models) / models)[:count].float()
    order = agreed.argsort(descending=True, stable=True)  # (count,)
    return (
        (corners[:count] / weight[:count, None]).float()[order],
        agreed[order],
        labels[leaders][order],
    )


def suppress(
    columns: Columns,
    policy: Policy,
    *,
    iou: float,
    class_agnostic: bool,
    sigma: float,
    floor: float,
    models: int,
) -> Columns:
    """The columns after the policy of that name.

    Raises: ValueError for an unknown policy or a setting out of range, TypeError for one that is no
        number.
    """
    _check(policy, iou=iou, sigma=sigma, floor=floor, models=models)
    if policy == "nms":
        return nms(columns, iou=iou, class_agnostic=class_agnostic)
    if policy == "fuse":
        return fuse(columns, iou=iou, models=models, class_agnostic=class_agnostic)
    linear = iou if policy == "soft-linear" else None
    return soft_nms(columns, iou=linear, sigma=sigma, floor=floor, class_agnostic=class_agnostic)


def _check(policy: str, *, iou: float, sigma: float, floor: float, models: int) -> None:
    if policy not in get_args(Policy):
        raise ValueError(f"policy={policy!r} is none of {', '.join(get_args(Policy))}")
    number(
        iou,
        to="suppress(iou=...)",
        rule="an overlap lies between 0 and 1, for example iou=0.5",
        least=0,
        most=1,
    )
    number(
        floor,
        to="suppress(floor=...)",
        rule="a score lies between 0 and 1, for example floor=0.001",
        least=0,
        most=1,
    )
    number(
        sigma,
        to="suppress(sigma=...)",
        rule="a width is above 0, for example sigma=0.5",
        least=1e-9,
    )
    whole_number(
        models,
        to="suppress(models=...)",
        rule="the number of detectors whose boxes were merged, at least 1",
        least=1,
    )
