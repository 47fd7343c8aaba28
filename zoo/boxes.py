"""Box arithmetic: everything that knows more than one box format lives here.

A box is `x1 y1 x2 y2` (xyxy), absolute pixels, float32, `(n, 4)`; `x2, y2` is the far edge, so
width is `x2 - x1`. Every function that gives boxes takes them as `(..., 4)` of any float type and
keeps shape, type and device.
"""

from __future__ import annotations

import torch
from torch import Tensor


def xyxy_to_xywh(boxes: Tensor) -> Tensor:
    """Corner pairs to COCO's format: left, top, width, height."""
    x1, y1, x2, y2 = boxes.unbind(-1)
    return torch.stack([x1, y1, x2 - x1, y2 - y1], dim=-1)  # (..., 4)


def xywh_to_xyxy(boxes: Tensor) -> Tensor:
    """Left, top, width, height to corner pairs."""
    x, y, w, h = boxes.unbind(-1)
    return torch.stack([x, y, x + w, y + h], dim=-1)  # (..., 4)


def xyxy_to_cxcywh(boxes: Tensor) -> Tensor:
    """Corner pairs to centre x, centre y, width, height."""
    x1, y1, x2, y2 = boxes.unbind(-1)
    return torch.stack([(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1], dim=-1)  # (..., 4)


def cxcywh_to_xyxy(boxes: Tensor) -> Tensor:
    """Centre x, centre y, width, height to corner pairs."""
    x, y, w, h = boxes.unbind(-1)
    return torch.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2], dim=-1)  # (..., 4)


def area(boxes: Tensor) -> Tensor:
    """Square pixels of every box, `(...)`."""
    x1, y1, x2, y2 = boxes.unbind(-1)
    return (x2 - x1) * (y2 - y1)  # (...)


def have_area(boxes: Tensor) -> Tensor:
    """Whether a box has both width and height, `(...)` bool; false for one that is inverted."""
    return (boxes[..., 2:] > boxes[..., :2]).all(dim=-1)  # (...)


def box_iou(boxes: Tensor, others: Tensor) -> Tensor:
    """Intersection over union of every box `(n, 4)` with every other `(m, 4)`, as `(n, m)`; NaN
    between two without area."""
    near = torch.maximum(boxes[:, None, :2], others[:, :2])  # (n, m, 2)
    far = torch.minimum(boxes[:, None, 2:], others[:, 2:])  # (n, m, 2)
    shared = (far - near).clamp(min=0).prod(-1)  # (n, m)
    return shared / (area(boxes)[:, None] + area(others) - shared)


def scale(boxes: Tensor, *, x: float, y: float) -> Tensor:
    """Boxes of an image that is stretched by `x` in width and by `y` in height."""
    return boxes * boxes.new_tensor([x, y, x, y])


def shift(boxes: Tensor, *, dx: float, dy: float) -> Tensor:
    """Boxes moved to the right and downwards, in pixels."""
    return boxes + boxes.new_tensor([dx, dy, dx, dy])


def clip_to_region(boxes: Tensor, region: tuple[float, float, float, float]) -> Tensor:
    """Boxes cut at the edges of a region `(x1, y1, x2, y2)`; one that lies outside is left with no
    area, on the edge."""
    x1, y1, x2, y2 = region
    return boxes.clamp(boxes.new_tensor([x1, y1, x1, y1]), boxes.new_tensor([x2, y2, x2, y2]))


def clip(boxes: Tensor, *, height: float, width: float) -> Tensor:
    """Boxes cut at the edges of an image of that size."""
    return clip_to_region(boxes, (0, 0, width, height))
