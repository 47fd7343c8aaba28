"""What `prepare` hands to `forward`, and what `loss` is told about the truth."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from zoo.detections.check import check_boxes
from zoo.text import type_name


@dataclass(frozen=True)
class InputTransform:
    """Where one picture sits in the network's input: original pixel = (input pixel - offset) /
    scale.

    height, width:   the original picture, in pixels.
    scale_y, scale_x: input pixels an original pixel.
    top, left:       input pixels of padding above and left of the picture.
    """

    height: int
    width: int
    scale_y: float
    scale_x: float
    top: float = 0.0
    left: float = 0.0

    def to_original(self, boxes: Tensor) -> Tensor:
        """Boxes `(n, 4)` in input pixels to boxes in pixels of the original picture, cut at its
        edges."""
        offset = boxes.new_tensor([self.left, self.top, self.left, self.top])
        scale = boxes.new_tensor([self.scale_x, self.scale_y, self.scale_x, self.scale_y])
        edge = boxes.new_tensor([self.width, self.height, self.width, self.height])
        return torch.minimum(((boxes - offset) / scale).clamp(min=0), edge)  # (n, 4)

    def to_input(self, boxes: Tensor) -> Tensor:
        """The way back: boxes `(n, 4)` in original pixels to input pixels."""
        offset = boxes.new_tensor([self.left, self.top, self.left, self.top])
        scale = boxes.new_tensor([self.scale_x, self.scale_y, self.scale_x, self.scale_y])
        return boxes * scale + offset  # (n, 4)


@dataclass(frozen=True)
class Batch:
    """Pictures as the network takes them: `pixels` `(b, 3, h, w)` float, and one `InputTransform` a
    picture."""

    pixels: Tensor
    places: tuple[InputTransform, ...]

    def __len__(self) -> int:
        return len(self.places)

    def to(
        self, device: torch.device | str | None = None, dtype: torch.dtype | None = None
    ) -> Batch:
        """The same batch on another device or in another float type."""
        return replace(self, pixels=self.pixels.to(device=device, dtype=dtype))


@dataclass(frozen=True)
class Target:
    """The annotated truth of one picture: boxes `(n, 4)` float32 xyxy in original pixels, labels
    `(n,)` int64; n may be 0.

    A box may be without width or height, as some in COCO are; `loss` leaves it out.

    Raises:
        ValueError: other shapes or types, or boxes that are not finite or end before they begin, as
            x y width height would.
    """

    boxes: Tensor
    labels: Tensor

    def __post_init__(self) -> None:
        _check_type("boxes", self.boxes, torch.float32, "x1 y1 x2 y2 in original pixels")
        _check_type("labels", self.labels, torch.int64, "positions in the label space")
        shapes = tuple(self.boxes.shape), tuple(self.labels.shape)
        count = self.labels.numel()
        if shapes != ((count, 4), (count,)):
            raise ValueError(
                f"a target has boxes (n, 4) and labels (n,), got {shapes[0]} and {shapes[1]}"
            )
        if count:
            check_boxes(self.boxes)


def _check_type(name: str, column: object, dtype: torch.dtype, meaning: str) -> None:
    got = column.dtype if isinstance(column, Tensor) else type_name(column)
    if got != dtype:
        raise ValueError(f"{name} must be a tensor of {dtype}, {meaning}, got {got}")
