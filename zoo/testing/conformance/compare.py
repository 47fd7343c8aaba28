"""Compares the detections of two runs, up to the rounding that another batch size or thread
brings."""

from __future__ import annotations

import torch
from torchvision.ops import box_iou

from zoo.detections import Detections

BEST = 20  # detections that are compared; with random weights, the order of the others is chance
MIN_SHARE = 0.8
MIN_IOU = 0.9
SCORE_TOLERANCE = 0.01


def agree(first: Detections, other: Detections) -> bool:
    """Whether at least 80 % of the 20 best of each have a partner in the other.

    A partner has the same label, a box that overlaps by an IoU of 0.9 and a score within 0.01.
    Fewer than all, because a rounding in the last bit can exchange which of two equal boxes
    suppresses the other.
    """
    return (
        first.size == other.size
        and _partner_share(first, other) >= MIN_SHARE
        and _partner_share(other, first) >= MIN_SHARE
    )


def _partner_share(first: Detections, other: Detections) -> float:
    """The share of the best of `first` that have a partner in `other`."""
    best = first.top(BEST)
    if not len(best) or not len(other):
        return float(len(best) == len(other))
    overlaps = box_iou(best.boxes, other.boxes) >= MIN_IOU  # (n, m)
    # (n, m); boxes without area overlap nothing
    same_box = (best.boxes[:, None] - other.boxes[None]).abs().amax(2) <= 1
    same_label = best.labels[:, None] == other.labels[None]
    same_score = (best.scores[:, None] - other.scores[None]).abs() <= SCORE_TOLERANCE
    return float(((overlaps | same_box) & same_label & same_score).any(1).float().mean())


def difference(first: Detections, other: Detections) -> str:
    """How two results differ, in a few words."""
    if len(first) != len(other):
        return f"{len(first)} boxes against {len(other)}"
    if not torch.equal(first.labels, other.labels):
        return "other labels"
    if not len(first):
        return "nothing in either, at other sizes or in other label spaces"
    apart = float((first.boxes - other.boxes).abs().max())
    return (
        f"boxes up to {apart:.3g} pixels apart, scores up to "
        f"{float((first.scores - other.scores).abs().max()):.3g}"
    )
