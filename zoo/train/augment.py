"""Augmentations: changed images and boxes, from random numbers of one image alone.

The numbers come from the seed, the epoch and the image's id, so that any number of workers and
processes makes the same images.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate
from torchvision.transforms.v2 import functional as F

from zoo.boxes import area, clip
from zoo.train.colors import changed
from zoo.train.recipe import Augmentation, Color, CopyPaste, Crop, Flip, Mixup, Mosaic, Zoom

GREY = 114  # of padding, as YOLOX has it; about the mean of photographs
CENTER = (0.3, 0.7)  # of a mosaic: shares of its width and height
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
class Context:
    """The source of further images, and the size that the network takes.

    load:  the sample of a row of the data set. rows: how many there are.
    """

    load: Callable[[int], Sample]
    rows: int
    size: tuple[int, int]

    def other(self, draw: random.Random) -> Sample:
        """A random sample."""
        return self.load(draw.randrange(self.rows))


def draw_of(*key: object) -> random.Random:
    """Random numbers that depend on the key alone: a seed, an epoch, the id of an image."""
    digest = hashlib.blake2b("/".join(map(repr, key)).encode(), digest_size=8).digest()
    return random.Random(int.from_bytes(digest))


def augment(
    sample: Sample, steps: Sequence[Augmentation], draw: random.Random, context: Context
) -> Sample:
    """The sample after each of the augmentations, in order, that its chance picks."""
    for step in steps:
        if draw.random() < step.probability:
            sample = _STEPS[type(step)](sample, step, draw, context)
    return sample


def clipped(sample: Sample, *, visible: float = 0.0) -> Sample:
    """The sample without boxes of which less than `visible` is inside, the others cut at the
    edges."""
    height, width = sample.size
    boxes = clip(sample.boxes, height=height, width=width)
    sides = boxes[:, 2:] - boxes[:, :2]
    kept = (sides >= LEAST_SIDE).all(dim=1) & (area(boxes) >= visible * area(sample.boxes))
    masks = None if sample.masks is None else sample.masks[kept]
    return Sample(sample.image, boxes[kept], sample.labels[kept], masks)


def flip(sample: Sample, step: Flip, draw: random.Random, context: Context) -> Sample:  # noqa: ARG001
    """Left and right exchanged."""
    left, top, right, bottom = sample.boxes.unbind(1)
    width = sample.size[1]
    boxes = torch.stack([width - right, top, width - left, bottom], dim=1)
    masks = None if sample.masks is None else sample.masks.flip(-1)
    return Sample(F.horizontal_flip_image(sample.image), boxes, sample.labels, masks)


def zoom(sample: Sample, step: Zoom, draw: random.Random, context: Context) -> Sample:  # noqa: ARG001
    """A window of another size, padded where it is outside."""
    height, width = sample.size
    factor = _between(draw, step.factors)
    tall, wide = max(1, round(height / factor)), max(1, round(width / factor))
    top = round(draw.uniform(min(0, height - tall), max(0, height - tall)))
    left = round(draw.uniform(min(0, width - wide), max(0, width - wide)))
    return clipped(window(sample, top, left, tall, wide), visible=step.visible)


def crop(sample: Sample, step: Crop, draw: random.Random, context: Context) -> Sample:  # noqa: ARG001
    """A window around all boxes."""
    height, width = sample.size
    x1, y1, x2, y2 = _hull(sample)
    top, bottom = _edges(draw, y1, y2, height, step.smallest)
    left, right = _edges(draw, x1, x2, width, step.smallest)
    return window(sample, top, left, bottom - top, right - left)


def color(sample: Sample, step: Color, draw: random.Random, context: Context) -> Sample:  # noqa: ARG001
    """Other colours, in the order of the fields."""
    most = (step.brightness, step.contrast, step.saturation)
    brightness, contrast, saturation = [
        max(0.0, 1 + draw.uniform(-strength, strength)) for strength in most
    ]
    hue = draw.uniform(-step.hue, step.hue)
    return replace(sample, image=changed(sample.image, brightness, contrast, saturation, hue))


def mosaic(sample: Sample, step: Mosaic, draw: random.Random, context: Context) -> Sample:
    """Four images around a point; the sample is the first."""
    height, width = context.size
    y, x = round(draw.uniform(*CENTER) * height), round(draw.uniform(*CENTER) * width)
    image = sample.image.new_full((3, height, width), GREY)
    parts = []
    for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
        source = sample if (row, column) == (0, 0) else context.other(draw)
        tile = _fitted(source, context.size, _between(draw, step.factors))
        tall, wide = (height - y if row else y), (width - x if column else x)
        top = 0 if row else tile.size[0] - tall  # the corner at the point stays
        left = 0 if column else tile.size[1] - wide
        part = clipped(window(tile, top, left, tall, wide), visible=step.visible)
        down, across = (y if row else 0), (x if column else 0)
        image[:, down : down + tall, across : across + wide] = part.image
        masks = part.masks
        if masks is not None:
            masks = _cut(masks, (-down, -across, height, width), 0)
        boxes = part.boxes + part.boxes.new_tensor([across, down] * 2)
        parts.append(Sample(part.image, boxes, part.labels, masks))
    return joined(image, parts)


def mixup(sample: Sample, step: Mixup, draw: random.Random, context: Context) -> Sample:
    """A second image over the first, scaled to fit and in its upper left corner."""
    second = window(_fitted(context.other(draw), sample.size, 1.0), 0, 0, *sample.size)
    blend = torch.lerp(sample.image.float(), second.image.float(), step.share).round_()
    return clipped(joined(blend.byte(), [sample, second]))


def copy_paste(sample: Sample, step: CopyPaste, draw: random.Random, context: Context) -> Sample:
    """Objects of another image over this one, by their masks (Ghiasi et al. 2021).

    What they hide is taken out of the masks of the others, whose boxes follow; an object of unknown
    mask stays as it is, unless its box is hidden as much.
    """
    second = context.other(draw)
    second = flip(second, Flip(), draw, context) if draw.random() < 0.5 else second
    second = _fitted(second, sample.size, _between(draw, step.factors))
    (height, width), (tall, wide) = sample.size, second.size
    top = round(draw.uniform(min(0, tall - height), max(0, tall - height)))
    left = round(draw.uniform(min(0, wide - width), max(0, wide - width)))
    second = clipped(window(second, top, left, height, width), visible=step.visible)
    chosen = torch.tensor([draw.random() < step.objects for _ in second.labels], dtype=torch.bool)
    if second.masks is None or sample.masks is None:
        return sample
    chosen &= second.masks.any(dim=2).any(dim=1)
    pasted = second.masks[chosen]
    over = pasted.any(dim=0)
    image = torch.where(over, second.image, sample.image)
    below = _hidden(sample, over, visible=step.visible)
    above = Sample(image, hulls(pasted), second.labels[chosen], pasted)
    return clipped(joined(image, [below, above]))


def _hidden(sample: Sample, over: Tensor, *, visible: float) -> Sample:
    """The objects that are still to be seen below what was pasted, with boxes around that."""
    known = sample.masks
    assert known is not None
    sizes, masks = known.sum(dim=(1, 2)), known & ~over
    left = masks.sum(dim=(1, 2))
    boxes, kept = sample.boxes.clone(), torch.ones(len(known), dtype=torch.bool)
    for row in range(len(known)):
        if not sizes[row]:
            x1, y1, x2, y2 = sample.boxes[row].round().int().tolist()
            part = over[y1:y2, x1:x2]
            kept[row] = 1 - part.float().mean() >= visible if part.numel() else True
        elif left[row] < sizes[row]:
            kept[row] = left[row] > 0 and left[row] >= visible * sizes[row]
            if kept[row]:
                hull = hulls(masks[row : row + 1])[0]
                near, far = torch.maximum(boxes[row], hull), torch.minimum(boxes[row], hull)
                boxes[row] = torch.cat([near[:2], far[2:]])
    return Sample(sample.image, boxes[kept], sample.labels[kept], masks[kept])


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


def joined(image: Tensor, parts: Sequence[Sample]) -> Sample:
    """The objects of several samples in one image."""
    known = [part.masks for part in parts if part.masks is not None]
    return Sample(
        image,
        torch.cat([part.boxes for part in parts]),
        torch.cat([part.labels for part in parts]),
        torch.cat(known) if len(known) == len(parts) else None,
    )


def window(sample: Sample, top: int, left: int, height: int, width: int) -> Sample:
    """The part of the image in a window, grey where that is outside; boxes move with it, and are
    not cut."""
    area = (top, left, height, width)
    image = _cut(sample.image, area, GREY)
    masks = None if sample.masks is None else _cut(sample.masks, area, 0)
    boxes = sample.boxes - sample.boxes.new_tensor([left, top, left, top])
    return Sample(image, boxes, sample.labels, masks)


def _cut(planes: Tensor, area: tuple[int, int, int, int], outside: int) -> Tensor:
    """Planes `(n, h, w)` in a window: its top, left, height and width."""
    top, left, height, width = area
    part = planes.new_full((len(planes), height, width), outside)
    tall, wide = planes.shape[-2:]
    y1, y2 = max(top, 0), min(top + height, tall)
    x1, x2 = max(left, 0), min(left + width, wide)
    if y1 < y2 and x1 < x2:
        part[:, y1 - top : y2 - top, x1 - left : x2 - left] = planes[:, y1:y2, x1:x2]
    return part


def _fitted(sample: Sample, size: tuple[int, int], factor: float) -> Sample:
    """The sample resized to fit into `size`, times a factor."""
    height, width = sample.size
    scale = factor * min(size[0] / height, size[1] / width)
    tall, wide = max(1, round(height * scale)), max(1, round(width * scale))
    image = F.resize_image(sample.image, [tall, wide], antialias=True)
    boxes = sample.boxes * sample.boxes.new_tensor([wide / width, tall / height] * 2)
    masks = sample.masks
    if masks is not None and len(masks):
        masks = interpolate(masks[None].byte(), (tall, wide), mode="nearest-exact")[0].bool()
    elif masks is not None:
        masks = masks.new_zeros((0, tall, wide))
    return Sample(image, boxes, sample.labels, masks)


def _between(draw: random.Random, factors: Sequence[float]) -> float:
    """A factor, as likely to halve as to double."""
    low, high = factors
    return math.exp(draw.uniform(math.log(low), math.log(high)))


def _hull(sample: Sample) -> tuple[float, float, float, float]:
    """The smallest window with every box in it; a random place of no size has no boxes."""
    height, width = sample.size
    if not len(sample.boxes):
        return width / 2, height / 2, width / 2, height / 2
    x1, y1 = sample.boxes[:, :2].amin(0).tolist()
    x2, y2 = sample.boxes[:, 2:].amax(0).tolist()
    return x1, y1, x2, y2


def _edges(
    draw: random.Random, first: float, last: float, side: int, smallest: float
) -> tuple[int, int]:
    """Both edges of a window along one axis, outside of `first` to `last`, inside of 0 to `side`,
    and at least a share of it."""
    start = int(draw.uniform(0, max(0.0, min(first, side * (1 - smallest)))))
    least = min(side, max(math.ceil(last), math.ceil(start + smallest * side), start + 1))
    return start, math.ceil(draw.uniform(least, side))


_STEPS: dict[type, Callable[[Sample, Any, random.Random, Context], Sample]] = {
    Flip: flip,
    Zoom: zoom,
    Crop: crop,
    Color: color,
    Mosaic: mosaic,
    Mixup: mixup,
    CopyPaste: copy_paste,
}
