"""Where an image lies in the network's input, and the way back from there."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class InputTransform:
    """An affine map from pixels of an image to pixels of the network's input.

    In this order: the image is flipped, cropped, scaled and offset by padding, so that
    `input = (flipped - crop) * scale + offset`.

    height, width:       of the original image, in pixels.
    scale_y, scale_x:    input pixels per pixel of the image.
    top, left:           input pixels of padding above and left of the image.
    crop_top, crop_left: pixels of the image that are cut away above and left.
    flipped:             left and right are exchanged.
    """

    height: int
    width: int
    scale_y: float
    scale_x: float
    top: float = 0.0
    left: float = 0.0
    crop_top: float = 0.0
    crop_left: float = 0.0
    flipped: bool = False

    def to_original(self, boxes: Tensor) -> Tensor:
        """Boxes `(n, 4)` in input pixels to boxes in pixels of the image, clipped to its edges."""
        scale, offset = self._scale_and_offset(boxes)
        edge = boxes.new_tensor([self.width, self.height, self.width, self.height])
        moved = (boxes - offset) / scale
        if self.crop_top or self.crop_left:
            moved = moved + boxes.new_tensor([self.crop_left, self.crop_top] * 2)
        if self.flipped:
            moved = self._mirrored(moved)
        return torch.minimum(moved.clamp(min=0), edge)  # (n, 4)

    def to_input(self, boxes: Tensor) -> Tensor:
        """Boxes `(n, 4)` in pixels of the image to input pixels, not clipped."""
        scale, offset = self._scale_and_offset(boxes)
        if self.flipped:
            boxes = self._mirrored(boxes)
        if self.crop_top or self.crop_left:
            boxes = boxes - boxes.new_tensor([self.crop_left, self.crop_top] * 2)
        return boxes * scale + offset  # (n, 4)

    def _scale_and_offset(self, boxes: Tensor) -> tuple[Tensor, Tensor]:
        scale = boxes.new_tensor([self.scale_x, self.scale_y, self.scale_x, self.scale_y])
        return scale, boxes.new_tensor([self.left, self.top, self.left, self.top])

    def _mirrored(self, boxes: Tensor) -> Tensor:
        left, top, right, bottom = boxes.unbind(-1)
        return torch.stack([self.width - right, top, self.width - left, bottom], dim=-1)
