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

from zoo.train.colors import changed
from zoo.train.recipe import Augmentation, Color, CopyPaste, Crop, Flip, Mixup, Mosaic, Zoom
from zoo.train.sample import (
    GREY,
    Move,
    Sample,
    clipped,
    fitted,
    fitting,
    hulls,
    inside,
    joined,
    laid,
    rows_of,
    window,
)

CENTER = (0.3, 0.7)  # of a mosaic: shares of its width and height


@dataclass(frozen=True)
class Context:
    """The source of further images, and the size that the network takes.

    load:  a further sample, by its number from 0. rows: how many there are.
    fit:   height and width of an image -> those it is resized to for the network; None if that is
        not known.
    """

    load: Callable[[int], Sample]
    rows: int
    size: tuple[int, int]
    fit: Callable[[int, int], tuple[int, int]] | None = None

    def other(self, draw: random.Random) -> Sample:
        """A random sample."""
        return self.load(draw.randrange(self.rows))

    def smaller(self, height: int, width: int) -> tuple[int, int]:
        """The size that such an image has in the network, or its own where that is smaller."""
        size = self.fit(height, width) if self.fit else (height, width)
        return size if size[0] <= height and size[1] <= width else (height, width)


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


def flip(sample: Sample, step: Flip, draw: random.Random, context: Context) -> Sample:  # noqa: ARG001
    """Left and right exchanged."""
    left, top, right, bottom = sample.boxes.unbind(1)
    width = sample.size[1]
    boxes = torch.stack([width - right, top, width - left, bottom], dim=1)
    masks = None if sample.masks is None else sample.masks.flip(-1)
    return Sample(F.horizontal_flip_image(sample.image), boxes, sample.labels, masks)


def zoom(sample: Sample, step: Zoom, draw: random.Random, context: Context) -> Sample:
    """A window of another size, padded where it is outside. Where the network takes a smaller one,
    it has that size already, and padding is never resized."""
    height, width = sample.size
    factor = _between(draw, step.factors)
    tall, wide = max(1, round(height / factor)), max(1, round(width / factor))
    top = round(draw.uniform(min(0, height - tall), max(0, height - tall)))
    left = round(draw.uniform(min(0, width - wide), max(0, width - wide)))
    corner = sample.boxes.new_tensor([left, top] * 2)
    boxes, kept = inside(sample.boxes - corner, (tall, wide), step.visible)
    size = context.smaller(tall, wide)
    (y1, y2), (down, up) = _overlap(top, tall, height, size[0])
    (x1, x2), (across, end) = _overlap(left, wide, width, size[1])
    part = rows_of(replace(sample, boxes=boxes + corner), kept)
    image = sample.image.new_full((3, *size), GREY)
    return laid(image, part, Move((y1, x1, y2, x2), (down, across, up, end)))


def _overlap(
    start: int, length: int, side: int, shown: int
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Along one axis, what a window has of an image, and where that is in the window once it is
    `shown` pixels long."""
    first, last = max(start, 0), min(start + length, side)
    begin = min(round((first - start) * shown / length), shown - 1)
    return (first, last), (begin, max(begin + 1, round((last - start) * shown / length)))


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
    """Four images around a point; the sample is the first. Of each, what is hidden is not
    resized."""
    height, width = context.size
    y, x = round(draw.uniform(*CENTER) * height), round(draw.uniform(*CENTER) * width)
    image = sample.image.new_full((3, height, width), GREY)
    parts = []
    for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
        source = sample if (row, column) == (0, 0) else context.other(draw)
        tall, wide = fitting(source.size, context.size, _between(draw, step.factors))
        (y1, y2), (down, up) = _from_point(y, height, tall, source.size[0], after=row)
        (x1, x2), (across, end) = _from_point(x, width, wide, source.size[1], after=column)
        part = laid(image, source, Move((y1, x1, y2, x2), (down, across, up, end)))
        corner = part.boxes.new_tensor([x if column else 0, y if row else 0] * 2)
        quarter = (height - y if row else y), (width - x if column else x)
        boxes, kept = inside(part.boxes - corner, quarter, step.visible)
        parts.append(rows_of(replace(part, boxes=boxes + corner), kept))
    return joined(image, parts)


def _from_point(
    point: int, side: int, length: int, full: int, *, after: int
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Along one axis, what can be seen of a tile that begins or ends at a point, and where.

    length: of the tile once it is resized. full: before that.
    """
    visible = min(length, side - point if after else point)
    part = max(1, round(full * visible / length))
    return (
        ((0, part), (point, point + visible))
        if after
        else ((full - part, full), (point - visible, point))
    )


def mixup(sample: Sample, step: Mixup, draw: random.Random, context: Context) -> Sample:
    """A second image over the first, scaled to fit and in its upper left corner."""
    second = window(fitted(context.other(draw), sample.size, 1.0), 0, 0, *sample.size)
    blend = torch.lerp(sample.image.float(), second.image.float(), step.share).round_()
    return clipped(joined(blend.byte(), [sample, second]))


def copy_paste(sample: Sample, step: CopyPaste, draw: random.Random, context: Context) -> Sample:
    """Objects of another image over this one, by their masks (Ghiasi et al. 2021).

    What they hide is taken out of the masks of the others, whose boxes follow; an object of unknown
    mask stays as it is, unless its box is hidden as much.
    """
    second = context.other(draw)
    second = flip(second, Flip(), draw, context) if draw.random() < 0.5 else second
    second = fitted(second, sample.size, _between(draw, step.factors))
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
