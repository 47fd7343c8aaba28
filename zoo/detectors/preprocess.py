"""Images as a card's `Input` says: resized, padded, normalised, in one batch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from zoo.contract.batch import Batch
from zoo.contract.input_transform import InputTransform
from zoo.contract.pixels import check_pixels
from zoo.registry.card import Input


@dataclass(frozen=True)
class Size:
    """Height and width in pixels."""

    height: int
    width: int


def resized(picture: Size, rule: Input) -> Size:
    """What an image is resized to, at least one pixel each way, without padding."""
    first, second = rule.size
    if rule.resize == "fixed":
        return Size(first, second)
    if rule.resize == "letterbox":
        scale = min(first / picture.height, second / picture.width)
    else:
        short, long = sorted((picture.height, picture.width))
        scale = min(first / short, second / long)
    return Size(max(round(picture.height * scale), 1), max(round(picture.width * scale), 1))


def canvas_of_all(rule: Input, *, step: int) -> Size | None:
    """The network's input where it is the same for all images, or None where it goes by them."""
    return None if rule.resize == "shortest_edge" else canvas([], rule, step=step)


def canvas(pictures: Sequence[Size], rule: Input, *, step: int) -> Size:
    """The network's input for a batch: large enough for all of its images, a multiple of `step`
    pixels."""
    if rule.resize == "shortest_edge":
        sizes = [resized(picture, rule) for picture in pictures]
        height, width = max(size.height for size in sizes), max(size.width for size in sizes)
    else:
        height, width = rule.size
    return Size(math.ceil(height / step) * step, math.ceil(width / step) * step)


def prepare(
    images: Sequence[Tensor], rule: Input, *, step: int, device: torch.device, dtype: torch.dtype
) -> Batch:
    """uint8 RGB tensors `(3, h, w)` of any sizes, each in the top left corner of the batch's
    canvas.

    Resized on the device the image is on; `rule.padding` is a value of the network's input, so 0
    is the mean where a mean is subtracted.

    Raises:
        ImageError: one is no such tensor.
    """
    check_pixels(images)
    pictures = [Size(image.shape[-2], image.shape[-1]) for image in images]
    whole = canvas(pictures, rule, step=step)
    pixels = torch.full(
        (len(images), 3, whole.height, whole.width), rule.padding, dtype=dtype, device=device
    )
    scale, shift = _normalisation(rule, device, dtype)
    places = []
    for image, picture, target in zip(images, pictures, pixels, strict=True):
        size = resized(picture, rule)
        values = _resize(image, size, rule).to(device, dtype)
        values = values if rule.channels == "rgb" else values.flip(0)
        torch.addcmul(shift, values, scale, out=target[:, : size.height, : size.width])
        places.append(
            InputTransform(
                picture.height,
                picture.width,
                scale_y=size.height / picture.height,
                scale_x=size.width / picture.width,
            )
        )
    return Batch(pixels, tuple(places))


def _normalisation(rule: Input, device: torch.device, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """What a channel of 0 to 255 is multiplied by, and what is then added: `(3, 1, 1)` each, in the
    network's channel order."""
    mean = torch.tensor(rule.mean or [0.0] * 3, dtype=torch.float64)
    std = torch.tensor(rule.std or [1.0] * 3, dtype=torch.float64)
    scale = rule.range / 255 / std
    return scale.view(3, 1, 1).to(device, dtype), (-mean / std).view(3, 1, 1).to(device, dtype)


def _resize(image: Tensor, size: Size, rule: Input) -> Tensor:
    """A uint8 image `(3, h, w)` to `(3, height, width)`, whole numbers 0 to 255."""
    if tuple(image.shape[-2:]) == (size.height, size.width):
        return image
    if rule.interpolation in ("nearest", "nearest-exact"):
        return interpolate(image[None], (size.height, size.width), mode=rule.interpolation)[0]
    if image.device.type != "cpu":  # only the CPU resizes bytes
        image = image.float()
    done = interpolate(
        image[None],
        size=(size.height, size.width),
        mode=rule.interpolation,
        antialias=rule.antialias,
        align_corners=False,
    )[0]
    return done.round().clamp(0, 255) if done.is_floating_point() else done
