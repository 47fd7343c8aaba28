"""Sample: an image and its objects; functions cut it, resize it, and paste it into others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import interpolate
from torchvision.transforms.v2 import functional as F

from zoo.boxes import area, clip

GREY = 114  # of padding, as YOLOX has it; about the mean of photographs
MIN_SIDE = 1.0  # pixels of a box; smaller ones are dropped


@dataclass(frozen=True)
class Sample:
    """An image and its objects.

    image:  uint8 RGB `(3, h, w)`.
    boxes:  `(n, 4)` float32 xyxy in its pixels.
    labels: `(n,)` int64.
    masks:  `(n, h, w)` bool, all False for an unknown one; None if the recipe needs no masks.
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
    """A part of an image, and its place in another, both as top, left, bottom, right."""

    source: tuple[int, int, int, int]
    place: tuple[int, int, int, int]

    def boxes(self, boxes: Tensor) -> Tensor:
        """The boxes `(n, 4)` of the first image in pixels of the second."""
        y1, x1, y2, x2 = self.source
        down, across, up, end = self.place
        scale = boxes.new_tensor([(end - across) / (x2 - x1), (up - down) / (y2 - y1)] * 2)
        corner, target = boxes.new_tensor([x1, y1] * 2), boxes.new_tensor([across, down] * 2)
        return (boxes - corner) * scale + target


def clipped(sample: Sample, *, visible: float = 0.0) -> Sample:
    """The sample with boxes cut at the edges, without those of which less than `visible` is
    inside."""
    boxes, keep = inside(sample.boxes, sample.size, visible)
    return rows_of(replace(sample, boxes=boxes), keep)


def inside(boxes: Tensor, size: tuple[int, int], visible: float) -> tuple[Tensor, Tensor]:
    """The boxes `(n, 4)` cut at the edges, and a mask `(n,)` of those to keep: large enough, and
    with the share `visible` of their area inside."""
    height, width = size
    cut = clip(boxes, height=height, width=width)
    sides = cut[:, 2:] - cut[:, :2]
    return cut, (sides >= MIN_SIDE).all(dim=1) & (area(cut) >= visible * area(boxes))


def paste(image: Tensor, sample: Sample, move: Move) -> Sample:
    """Writes a part of the sample into its place in `image`, and returns that with the objects."""
    part = resized_part(sample, move)
    down, across, up, end = move.place
    image[:, down:up, across:end] = part.image
    masks = None
    if part.masks is not None:
        masks = part.masks.new_zeros((len(part.masks), *image.shape[1:]))
        masks[:, down:up, across:end] = part.masks
    return Sample(image, part.boxes, part.labels, masks)


def resized_part(sample: Sample, move: Move) -> Sample:
    """A part of the sample, resized to its place; boxes are in pixels of the image with that
    place."""
    y1, x1, y2, x2 = move.source
    down, across, up, end = move.place
    size = up - down, end - across
    masks = sample.masks
    return Sample(
        _resize_image(sample.image[:, y1:y2, x1:x2], size),
        move.boxes(sample.boxes),
        sample.labels,
        None if masks is None else _resize_masks(masks[:, y1:y2, x1:x2], size),
    )


def rows_of(sample: Sample, keep: Tensor) -> Sample:
    """The sample with some of its objects. keep: `(n,)` bool."""
    masks = None if sample.masks is None else sample.masks[keep]
    return Sample(sample.image, sample.boxes[keep], sample.labels[keep], masks)


def fit_size(size: tuple[int, int], into: tuple[int, int], factor: float) -> tuple[int, int]:
    """The size of an image that is resized to fit into another size, times a factor."""
    height, width = size
    scale = factor * min(into[0] / height, into[1] / width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def resize_to_fit(sample: Sample, size: tuple[int, int], factor: float) -> Sample:
    """The sample resized to fit into `size`, times a factor."""
    (height, width), (tall, wide) = sample.size, fit_size(sample.size, size, factor)
    image = _resize_image(sample.image, (tall, wide))
    boxes = sample.boxes * sample.boxes.new_tensor([wide / width, tall / height] * 2)
    masks = None if sample.masks is None else _resize_masks(sample.masks, (tall, wide))
    return Sample(image, boxes, sample.labels, masks)


def _resize_image(image: Tensor, size: tuple[int, int]) -> Tensor:
    if size == (1, 1):  # torch's kernel for bytes fails on that
        return image.float().mean(dim=(1, 2), keepdim=True).round().to(image.dtype)
    resized: Tensor = F.resize_image(image, list(size), antialias=True)
    return resized


def _resize_masks(masks: Tensor, size: tuple[int, int]) -> Tensor:
    if not len(masks):
        return masks.new_zeros((0, *size))
    return interpolate(masks[None].byte(), size, mode="nearest-exact")[0].bool()


def joined(image: Tensor, parts: Sequence[Sample]) -> Sample:
    """An image with the objects of several samples."""
    masks = [part.masks for part in parts if part.masks is not None]
    return Sample(
        image,
        torch.cat([part.boxes for part in parts]),
        torch.cat([part.labels for part in parts]),
        torch.cat(masks) if len(masks) == len(parts) else None,
    )


def hulls(masks: Tensor) -> Tensor:
    """The boxes `(n, 4)` around masks `(n, h, w)`, each with at least one pixel."""
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
    """The part of a sample in a window, grey outside of the image; boxes are moved, not cut."""
    place = (top, left, height, width)
    image = _cut(sample.image, place, GREY)
    masks = None if sample.masks is None else _cut(sample.masks, place, 0)
    boxes = sample.boxes - sample.boxes.new_tensor([left, top, left, top])
    return Sample(image, boxes, sample.labels, masks)


def _cut(planes: Tensor, place: tuple[int, int, int, int], outside: int) -> Tensor:
    """The part of planes `(n, h, w)` in a window. place: its top, left, height and width."""
    top, left, height, width = place
    part = planes.new_full((len(planes), height, width), outside)
    tall, wide = planes.shape[-2:]
    y1, y2 = max(top, 0), min(top + height, tall)
    x1, x2 = max(left, 0), min(left + width, wide)
    if y1 < y2 and x1 < x2:
        part[:, y1 - top : y2 - top, x1 - left : x2 - left] = planes[:, y1:y2, x1:x2]
    return part
