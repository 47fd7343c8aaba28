"""A sample is an image and its objects; here it is cut, resized, and put into others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import interpolate
from torchvision.transforms.v2 import functional as F

from zoo.boxes import area, clip

GREY = 114  # of padding, as YOLOX has it; about the mean of photographs
LEAST_SIDE = 1.0  # pixels of a box that is kept


@dataclass(frozen=True)
class Sample:
    """An image and its objects.

    image: uint8 RGB `(3, h, w)`. boxes: `(n, 4)` float32 xyxy in its pixels. labels: `(n,)` int64.
    masks: `(n, h, w)` bool, without a pixel where it is not known; None where nothing needs them.
    """

    image: Tensor
    boxes: Tensor
    labels: Tensor
    masks: Tensor | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.image.shape[-2], self.image.shape[-1]


@dataclass(frozen=True)
class Move:
    """The place that a part of an image takes in another, both as top, left, bottom, right."""

    source: tuple[int, int, int, int]
    place: tuple[int, int, int, int]

    def boxes(self, boxes: Tensor) -> Tensor:
        """Boxes of the first image in the second."""
        y1, x1, y2, x2 = self.source
        down, across, up, end = self.place
        scale = boxes.new_tensor([(end - across) / (x2 - x1), (up - down) / (y2 - y1)] * 2)
        corner, target = boxes.new_tensor([x1, y1] * 2), boxes.new_tensor([across, down] * 2)
        return (boxes - corner) * scale + target


def clipped(sample: Sample, *, visible: float = 0.0) -> Sample:
    """The sample without boxes of which less than `visible` is inside, the others cut at the
    edges."""
    boxes, kept = inside(sample.boxes, sample.size, visible)
    return rows_of(replace(sample, boxes=boxes), kept)


def inside(boxes: Tensor, size: tuple[int, int], visible: float) -> tuple[Tensor, Tensor]:
    """Boxes cut at the edges, and which of them are kept."""
    height, width = size
    cut = clip(boxes, height=height, width=width)
    sides = cut[:, 2:] - cut[:, :2]
    return cut, (sides >= LEAST_SIDE).all(dim=1) & (area(cut) >= visible * area(boxes))


def laid(image: Tensor, sample: Sample, move: Move) -> Sample:
    """A part of the sample in its place in `image`, which is written to, and the objects there."""
    part = resized_part(sample, move)
    down, across, up, end = move.place
    image[:, down:up, across:end] = part.image
    masks = None
    if part.masks is not None:
        masks = part.masks.new_zeros((len(part.masks), *image.shape[1:]))
        masks[:, down:up, across:end] = part.masks
    return Sample(image, part.boxes, part.labels, masks)


def resized_part(sample: Sample, move: Move) -> Sample:
    """A part of the sample, as large as its place; boxes are in the image that the place is in."""
    y1, x1, y2, x2 = move.source
    down, across, up, end = move.place
    size = up - down, end - across
    masks = sample.masks
    return Sample(
        _resized(sample.image[:, y1:y2, x1:x2], size),
        move.boxes(sample.boxes),
        sample.labels,
        None if masks is None else _resized_masks(masks[:, y1:y2, x1:x2], size),
    )


def rows_of(sample: Sample, kept: Tensor) -> Sample:
    """Some of the objects."""
    masks = None if sample.masks is None else sample.masks[kept]
    return Sample(sample.image, sample.boxes[kept], sample.labels[kept], masks)


def fitting(size: tuple[int, int], into: tuple[int, int], factor: float) -> tuple[int, int]:
    """The size of an image that is resized to fit, times a factor."""
    height, width = size
    scale = factor * min(into[0] / height, into[1] / width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def fitted(sample: Sample, size: tuple[int, int], factor: float) -> Sample:
    """The sample resized to fit into `size`, times a factor."""
    (height, width), (tall, wide) = sample.size, fitting(sample.size, size, factor)
    image = _resized(sample.image, (tall, wide))
    boxes = sample.boxes * sample.boxes.new_tensor([wide / width, tall / height] * 2)
    masks = None if sample.masks is None else _resized_masks(sample.masks, (tall, wide))
    return Sample(image, boxes, sample.labels, masks)


def _resized(image: Tensor, size: tuple[int, int]) -> Tensor:
    if size == (1, 1):  # of which torch's kernel for bytes fails
        return image.float().mean(dim=(1, 2), keepdim=True).round().to(image.dtype)
    resized: Tensor = F.resize_image(image, list(size), antialias=True)
    return resized


def _resized_masks(masks: Tensor, size: tuple[int, int]) -> Tensor:
    if not len(masks):
        return masks.new_zeros((0, *size))
    return interpolate(masks[None].byte(), size, mode="nearest-exact")[0].bool()


def joined(image: Tensor, parts: Sequence[Sample]) -> Sample:
    """The objects of several samples in one image."""
    known = [part.masks for part in parts if part.masks is not None]
    return Sample(
        image,
        torch.cat([part.boxes for part in parts]),
        torch.cat([part.labels for part in parts]),
        torch.cat(known) if len(known) == len(parts) else None,
    )


def hulls(masks: Tensor) -> Tensor:
    """`(n, 4)` the boxes around masks, each of which has a pixel."""
    columns, rows = masks.any(dim=1).byte(), masks.any(dim=2).byte()
    width, height = columns.shape[1], rows.shape[1]
    edges = [
        columns.argmax(1),
        rows.argmax(1),
        width - columns.flip(1).argmax(1),
        height - rows.flip(1).argmax(1),
    ]
    return torch.stack(edges, dim=1).float()


def window(sample: Sample, top: int, left: int, height: int, width: int) -> Sample:
    """The part of the image in a window, grey where that is outside; boxes move with it, and are
    not cut."""
    place = (top, left, height, width)
    image = _cut(sample.image, place, GREY)
    masks = None if sample.masks is None else _cut(sample.masks, place, 0)
    boxes = sample.boxes - sample.boxes.new_tensor([left, top, left, top])
    return Sample(image, boxes, sample.labels, masks)


def _cut(planes: Tensor, place: tuple[int, int, int, int], outside: int) -> Tensor:
    """Planes `(n, h, w)` in a window: its top, left, height and width."""
    top, left, height, width = place
    part = planes.new_full((len(planes), height, width), outside)
    tall, wide = planes.shape[-2:]
    y1, y2 = max(top, 0), min(top + height, tall)
    x1, x2 = max(left, 0), min(left + width, wide)
    if y1 < y2 and x1 < x2:
        part[:, y1 - top : y2 - top, x1 - left : x2 - left] = planes[:, y1:y2, x1:x2]
    return part
