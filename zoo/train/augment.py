"""Augments images and their boxes by random numbers of each image.

The numbers depend on the seed, the epoch and the image's id, so that any number of workers and
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

from zoo.train.colors import adjust_colors
from zoo.train.recipe import Augmentation, Color, CopyPaste, Crop, Flip, Mixup, Mosaic, Zoom
from zoo.train.sample import (
    GREY,
    Move,
    Sample,
    clipped,
    fit_size,
    hulls,
    inside,
    joined,
    paste,
    resize_to_fit,
    rows_of,
    window,
)

CENTER = (0.3, 0.7)  # range of a mosaic's centre, as shares of its width and height


@dataclass(frozen=True)
class Context:
    """Access to further images, and the network's input size.

    load: returns a further sample by its number, from 0.
    rows: the number of further samples.
    size: height and width of the network's input.
    fit:  height and width of an image -> those to which it is resized for the network; None if
        they are not known.
    """

    load: Callable[[int], Sample]
    rows: int
    size: tuple[int, int]
    fit: Callable[[int, int], tuple[int, int]] | None = None

    def other(self, draw: random.Random) -> Sample:
        """A random sample."""
        return self.load(draw.randrange(self.rows))

    def smaller(self, height: int, width: int) -> tuple[int, int]:
        """The size of such an image in the network's input, or its own if that is smaller."""
        size = self.fit(height, width) if self.fit else (height, width)
        return size if size[0] <= height and size[1] <= width else (height, width)


def draw_of(*key: object) -> random.Random:
    """A generator whose random numbers depend on the key alone: a seed, an epoch, an image's id."""
    digest = hashlib.blake2b("/".join(map(repr, key)).encode(), digest_size=8).digest()
    return random.Random(int.from_bytes(digest))


def augment(
    sample: Sample, steps: Sequence[Augmentation], draw: random.Random, context: Context
) -> Sample:
    """Applies each augmentation with its probability, in order."""
    for step in steps:
        if draw.random() < step.probability:
            sample = _STEPS[type(step)](sample, step, draw, context)
    return sample


def flip(sample: Sample, step: Flip, draw: random.Random, context: Context) -> Sample:  # noqa: ARG001
    """Mirrors left and right."""
    left, top, right, bottom = sample.boxes.unbind(1)
    width = sample.size[1]
    boxes = torch.stack([width - right, top, width - left, bottom], dim=1)
    masks = None if sample.masks is None else sample.masks.flip(-1)
    return Sample(F.horizontal_flip_image(sample.image), boxes, sample.labels, masks)


def zoom(sample: Sample, step: Zoom, draw: random.Random, context: Context) -> Sample:
    """Cuts out a window of another size, padded where it is outside of the image.

    If the network would make the window smaller, it is resized here, so that padding is never
    resized.
    """
    height, width = sample.size
    factor = _between(draw, step.factors)
    tall, wide = max(1, round(height / factor)), max(1, round(width / factor))
    top = round(draw.uniform(min(0, height - tall), max(0, height - tall)))
    left = round(draw.uniform(min(0, width - wide), max(0, width - wide)))
    corner = sample.boxes.new_tensor([left, top] * 2)
    boxes, keep = inside(sample.boxes - corner, (tall, wide), step.visible)
    size = context.smaller(tall, wide)
    (y1, y2), (down, up) = _overlap(top, tall, height, size[0])
    (x1, x2), (across, end) = _overlap(left, wide, width, size[1])
    part = rows_of(replace(sample, boxes=boxes + corner), keep)
    image = sample.image.new_full((3, *size), GREY)
    return paste(image, part, Move((y1, x1, y2, x2), (down, across, up, end)))


def _overlap(
    start: int, length: int, side: int, shown: int
) -> tuple[tuple[int, int], tuple[int, int]]:
    """The part of an image that a window covers along one axis, and its place in the window once
    that is `shown` pixels long."""
    first, last = max(start, 0), min(start + length, side)
    begin = min(round((first - start) * shown / length), shown - 1)
    return (first, last), (begin, max(begin + 1, round((last - start) * shown / length)))


def crop(sample: Sample, step: Crop, draw: random.Random, context: Context) -> Sample:  # noqa: ARG001
    """Cuts out a window around all boxes."""
    height, width = sample.size
    x1, y1, x2, y2 = _hull(sample)
    top, bottom = _edges(draw, y1, y2, height, step.smallest)
    left, right = _edges(draw, x1, x2, width, step.smallest)
    return window(sample, top, left, bottom - top, right - left)


def color(sample: Sample, step: Color, draw: random.Random, context: Context) -> Sample:  # noqa: ARG001
    """Changes colours, in the order of the fields."""
    strengths = (step.brightness, step.contrast, step.saturation)
    brightness, contrast, saturation = [
        max(0.0, 1 + draw.uniform(-strength, strength)) for strength in strengths
    ]
    hue = draw.uniform(-step.hue, step.hue)
    return replace(sample, image=adjust_colors(sample.image, brightness, contrast, saturation, hue))


def mosaic(sample: Sample, step: Mosaic, draw: random.Random, context: Context) -> Sample:
    """Puts four images around a point, the sample as the first. Hidden parts are not resized."""
    height, width = context.size
    y, x = round(draw.uniform(*CENTER) * height), round(draw.uniform(*CENTER) * width)
    image = sample.image.new_full((3, height, width), GREY)
    parts = []
    for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
        source = sample if (row, column) == (0, 0) else context.other(draw)
        tall, wide = fit_size(source.size, context.size, _between(draw, step.factors))
        (y1, y2), (down, up) = _from_point(y, height, tall, source.size[0], after=row)
        (x1, x2), (across, end) = _from_point(x, width, wide, source.size[1], after=column)
        part = paste(image, source, Move((y1, x1, y2, x2), (down, across, up, end)))
        corner = part.boxes.new_tensor([x if column else 0, y if row else 0] * 2)
        quarter = (height - y if row else y), (width - x if column else x)
        boxes, keep = inside(part.boxes - corner, quarter, step.visible)
        parts.append(rows_of(replace(part, boxes=boxes + corner), keep))
    return joined(image, parts)


def _from_point(
    point: int, side: int, length: int, full: int, *, after: int
) -> tuple[tuple[int, int], tuple[int, int]]:
    """The visible part of a tile along one axis, in the tile's pixels, and its place in the mosaic.

    length: of the resized tile.
    full:   length of the tile before it is resized.
    after:  1 if the tile begins at the point, 0 if it ends there.
    """
    visible = min(length, side - point if after else point)
    part = max(1, round(full * visible / length))
    return (
        ((0, part), (point, point + visible))
        if after
        else ((full - part, full), (point - visible, point))
    )


def mixup(sample: Sample, step: Mixup, draw: random.Random, context: Context) -> Sample:
    """Blends a second image over the first, resized to fit and in its upper left corner."""
    second = window(resize_to_fit(context.other(draw), sample.size, 1.0), 0, 0, *sample.size)
    blend = torch.lerp(sample.image.float(), second.image.float(), step.share).round_()
    return clipped(joined(blend.byte(), [sample, second]))


def copy_paste(sample: Sample, step: CopyPaste, draw: random.Random, context: Context) -> Sample:
    """Pastes objects of another image over this one, by their masks (Ghiasi et al. 2021).

    The masks of the objects below lose the covered pixels, and their boxes shrink; an object
    without a mask stays as it is, unless its box is covered too much.
    """
    second = context.other(draw)
    second = flip(second, Flip(), draw, context) if draw.random() < 0.5 else second
    second = resize_to_fit(second, sample.size, _between(draw, step.factors))
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
    below = _still_visible(sample, over, visible=step.visible)
    above = Sample(image, hulls(pasted), second.labels[chosen], pasted)
    return clipped(joined(image, [below, above]))


def _still_visible(sample: Sample, over: Tensor, *, visible: float) -> Sample:
    """The objects that are still visible below pasted pixels, with boxes around their rest.

    over: `(h, w)` bool, the pasted pixels.
    """
    masks_before = sample.masks
    assert masks_before is not None
    sizes, masks = masks_before.sum(dim=(1, 2)), masks_before & ~over
    visible_pixels = masks.sum(dim=(1, 2))
    boxes, keep = sample.boxes.clone(), torch.ones(len(masks_before), dtype=torch.bool)
    for row in range(len(masks_before)):
        if not sizes[row]:
            x1, y1, x2, y2 = sample.boxes[row].round().int().tolist()
            part = over[y1:y2, x1:x2]
            keep[row] = 1 - part.float().mean() >= visible if part.numel() else True
        elif visible_pixels[row] < sizes[row]:
            keep[row] = visible_pixels[row] > 0 and visible_pixels[row] >= visible * sizes[row]
            if keep[row]:
                hull = hulls(masks[row : row + 1])[0]
                near, far = torch.maximum(boxes[row], hull), torch.minimum(boxes[row], hull)
                boxes[row] = torch.cat([near[:2], far[2:]])
    return Sample(sample.image, boxes[keep], sample.labels[keep], masks[keep])


def _between(draw: random.Random, factors: Sequence[float]) -> float:
    """A random factor in a range, uniform in its logarithm."""
    low, high = factors
    return math.exp(draw.uniform(math.log(low), math.log(high)))


def _hull(sample: Sample) -> tuple[float, float, float, float]:
    """The smallest window with every box in it; the image's centre if it has none."""
    height, width = sample.size
    if not len(sample.boxes):
        return width / 2, height / 2, width / 2, height / 2
    x1, y1 = sample.boxes[:, :2].amin(0).tolist()
    x2, y2 = sample.boxes[:, 2:].amax(0).tolist()
    return x1, y1, x2, y2


def _edges(
    draw: random.Random, first: float, last: float, side: int, smallest: float
) -> tuple[int, int]:
    """Random edges of a window along one axis, which contains `first` to `last`, is inside of 0 to
    `side`, and has at least the share `smallest` of it."""
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
