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
from torchvision.transforms.v2 import functional as F

from zoo.boxes import area, clip
from zoo.train.recipe import Augmentation, Color, Crop, Flip, Mixup, Mosaic, Zoom

GREY = 114  # of padding, as YOLOX has it; about the mean of photographs
CENTER = (0.3, 0.7)  # of a mosaic: shares of its width and height
LEAST_SIDE = 1.0  # pixels of a box that is kept


@dataclass(frozen=True)
class Sample:
    """An image and its objects.

    image: uint8 RGB `(3, h, w)`. boxes: `(n, 4)` float32 xyxy in its pixels. labels: `(n,)` int64.
    """

    image: Tensor
    boxes: Tensor
    labels: Tensor

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
    return Sample(sample.image, boxes[kept], sample.labels[kept])


def flip(sample: Sample, step: Flip, draw: random.Random, context: Context) -> Sample:  # noqa: ARG001
    """Left and right exchanged."""
    left, top, right, bottom = sample.boxes.unbind(1)
    width = sample.size[1]
    boxes = torch.stack([width - right, top, width - left, bottom], dim=1)
    return replace(sample, image=F.horizontal_flip_image(sample.image), boxes=boxes)


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
    image = sample.image
    for adjust, most in (
        (F.adjust_brightness_image, step.brightness),
        (F.adjust_contrast_image, step.contrast),
        (F.adjust_saturation_image, step.saturation),
    ):
        factor = max(0.0, 1 + draw.uniform(-most, most))
        image = adjust(image, factor) if most else image
    shift = draw.uniform(-step.hue, step.hue)
    return replace(sample, image=F.adjust_hue_image(image, shift) if step.hue else image)


def mosaic(sample: Sample, step: Mosaic, draw: random.Random, context: Context) -> Sample:
    """Four images around a point; the sample is the first."""
    height, width = context.size
    y, x = round(draw.uniform(*CENTER) * height), round(draw.uniform(*CENTER) * width)
    image = sample.image.new_full((3, height, width), GREY)
    boxes, labels = [], []
    for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
        source = sample if (row, column) == (0, 0) else context.other(draw)
        tile = _fitted(source, context.size, _between(draw, step.factors))
        tall, wide = (height - y if row else y), (width - x if column else x)
        top = 0 if row else tile.size[0] - tall  # the corner at the point stays
        left = 0 if column else tile.size[1] - wide
        part = clipped(window(tile, top, left, tall, wide), visible=step.visible)
        down, across = (y if row else 0), (x if column else 0)
        image[:, down : down + tall, across : across + wide] = part.image
        boxes.append(part.boxes + part.boxes.new_tensor([across, down] * 2))
        labels.append(part.labels)
    return Sample(image, torch.cat(boxes), torch.cat(labels))


def mixup(sample: Sample, step: Mixup, draw: random.Random, context: Context) -> Sample:
    """A second image over the first, scaled to fit and in its upper left corner."""
    second = window(_fitted(context.other(draw), sample.size, 1.0), 0, 0, *sample.size)
    blend = torch.lerp(sample.image.float(), second.image.float(), step.share).round_()
    boxes = torch.cat([sample.boxes, second.boxes])
    return clipped(Sample(blend.byte(), boxes, torch.cat([sample.labels, second.labels])))


def window(sample: Sample, top: int, left: int, height: int, width: int) -> Sample:
    """The part of the image in a window, grey where that is outside; boxes move with it, and are
    not cut."""
    image = sample.image.new_full((3, height, width), GREY)
    tall, wide = sample.size
    y1, y2 = max(top, 0), min(top + height, tall)
    x1, x2 = max(left, 0), min(left + width, wide)
    if y1 < y2 and x1 < x2:
        image[:, y1 - top : y2 - top, x1 - left : x2 - left] = sample.image[:, y1:y2, x1:x2]
    boxes = sample.boxes - sample.boxes.new_tensor([left, top, left, top])
    return Sample(image, boxes, sample.labels)


def _fitted(sample: Sample, size: tuple[int, int], factor: float) -> Sample:
    """The sample resized to fit into `size`, times a factor."""
    height, width = sample.size
    scale = factor * min(size[0] / height, size[1] / width)
    tall, wide = max(1, round(height * scale)), max(1, round(width * scale))
    image = F.resize_image(sample.image, [tall, wide], antialias=True)
    boxes = sample.boxes * sample.boxes.new_tensor([wide / width, tall / height] * 2)
    return Sample(image, boxes, sample.labels)


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
}
