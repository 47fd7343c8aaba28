"""Box arithmetic: everything that knows more than one box format lives here.

A box is `x1 y1 x2 y2` (xyxy), absolute pixels, float32, `(n, 4)`; `x2, y2` is the far edge, so width is `x2 - x1`.
"""

from __future__ import annotations

import torch
from torch import Tensor


def xyxy_to_xywh(boxes: Tensor) -> Tensor:
    """COCO's format: `(n, 4)` corner pairs to left, top, width, height."""
    x1, y1, x2, y2 = boxes.unbind(-1)
    return torch.stack([x1, y1, x2 - x1, y2 - y1], dim=-1)  # (n, 4)


def xywh_to_xyxy(boxes: Tensor) -> Tensor:
    """`(n, 4)` left, top, width, height to corner pairs."""
    x, y, w, h = boxes.unbind(-1)
    return torch.stack([x, y, x + w, y + h], dim=-1)  # (n, 4)


def xyxy_to_cxcywh(boxes: Tensor) -> Tensor:
    """`(n, 4)` corner pairs to center x, center y, width, height."""
    x1, y1, x2, y2 = boxes.unbind(-1)
    return torch.stack([(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1], dim=-1)  # (n, 4)


def cxcywh_to_xyxy(boxes: Tensor) -> Tensor:
    """`(n, 4)` center x, center y, width, height to corner pairs."""
    x, y, w, h = boxes.unbind(-1)
    return torch.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2], dim=-1)  # (n, 4)


def clip(boxes: Tensor, *, height: float, width: float) -> Tensor:
    """Boxes cut at the picture's edges."""
    x1, y1, x2, y2 = boxes.unbind(-1)
    return torch.stack(
        [x1.clamp(0, width), y1.clamp(0, height), x2.clamp(0, width), y2.clamp(0, height)], dim=-1
    )  # (n, 4)
