"""Intersection over union of boxes, to pycocotools' last bit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def paired_iou(
    detections: NDArray[np.float64], boxes: NDArray[np.float64], crowd: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """(n,) IoU of each detection (n, 4) with the box (n, 4) in its row, both left, top, width,
    height.

    With a crowd box it is the share of the detection that lies inside (maskApi.c `bbIou`). The
    order of the operations decides the last bit. Where an area underflows to nothing (sides below
    1e-154 pixels) the IoU is 0, not 0/0.
    """
    reach = np.minimum(detections[:, 2:] + detections[:, :2], boxes[:, 2:] + boxes[:, :2])  # (n, 2)
    sides = reach - np.maximum(detections[:, :2], boxes[:, :2])  # (n, 2)
    shared = sides[:, 0] * sides[:, 1]
    own = detections[:, 2] * detections[:, 3]
    union = np.where(crowd, own, own + boxes[:, 2] * boxes[:, 3] - shared)
    iou = np.zeros(len(shared))
    np.divide(shared, union, out=iou, where=(sides > 0).all(1) & (union > 0))
    return iou
