"""CardPreprocess: resizes, pads and normalises images as a card's `input` says."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from msgspec import structs
from torch import Tensor
from torch.nn.functional import interpolate

from zoo.contract.batch import Batch, InputTransform, check_pixels
from zoo.registry.card import Input


@dataclass(frozen=True)
class Size:
    """Height and width in pixels."""

    height: int
    width: int


def resized(image: Size, rule: Input) -> Size:
    """The size of a resized image, at least one pixel each way, without padding."""
    first, second = rule.size
    if rule.resize == "fixed":
        return Size(first, second)
    if rule.resize == "letterbox":
        scale = min(first / image.height, second / image.width)
    else:
        short, long = sorted((image.height, image.width))
        scale = min(first / short, second / long)
    return Size(max(round(image.height * scale), 1), max(round(image.width * scale), 1))


def canvas_of_all(rule: Input, *, step: int) -> Size | None:
    """Size of the network's input if it is the same for all images, else None."""
    return None if rule.resize == "shortest_edge" else canvas([], rule, step=step)


def canvas(images: Sequence[Size], rule: Input, *, step: int) -> Size:
    """Size of the network's input for a batch: fits every resized image, and is a multiple of
    `step` pixels."""
    if rule.resize == "shortest_edge":
        sizes = [resized(image, rule) for image in images]
        height, width = max(size.height for size in sizes), max(size.width for size in sizes)
    else:
        height, width = rule.size
    return Size(math.ceil(height / step) * step, math.ceil(width / step) * step)


@dataclass(frozen=True)
class CardPreprocess:
    """Resizes, pads and normalises images as a card's `input` says (`zoo.contract.Preprocess`).

    Each image lies in the top left corner of the batch's canvas, whose height and width are
    multiples of `step` pixels. `input.padding` is a value of the network's input, so 0 is the mean
    if a mean is subtracted.
    """

    input: Input
    step: int = 1

    @property
    def size(self) -> tuple[int, int]:
        """The card's `size`."""
        first, second = self.input.size
        return first, second

    def __call__(
        self,
        images: Sequence[Tensor],
        *,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> Batch:
        """Makes a batch of uint8 RGB tensors `(3, h, w)` of any sizes, each resized on the device
        that it is on.

        Raises: ImageError for anything else.
        """
        check_pixels(images)
        rule = self.input
        sizes = [Size(image.shape[-2], image.shape[-1]) for image in images]
        canvas_size = canvas(sizes, rule, step=self.step)
        pixels = _empty((len(images), 3, canvas_size.height, canvas_size.width), dtype, device)
        scale, shift = _normalisation(rule, device, dtype)
        transforms = []
        for image, size, target in zip(images, sizes, pixels, strict=True):
            new = resized(size, rule)
            values = resize(image, new, rule)
            values = values if rule.channels == "rgb" else values.flip(0)
            target[:, new.height :] = rule.padding
            target[:, : new.height, new.width :] = rule.padding
            part = target[:, : new.height, : new.width].copy_(values.to(device)).mul_(scale)
            if rule.mean:  # two passes over what is in the cache: faster than addcmul
                part.add_(shift)
            scale_y, scale_x = new.height / size.height, new.width / size.width
            transforms.append(
                InputTransform(size.height, size.width, scale_y=scale_y, scale_x=scale_x)
            )
        return Batch(pixels, tuple(transforms))

    def input_size(self, height: int, width: int) -> tuple[int, int]:
        """The canvas of an image of that size alone."""
        size = canvas([Size(height, width)], self.input, step=self.step)
        return size.height, size.width

    def fit(self, height: int, width: int) -> tuple[int, int]:
        """The height and width to which an image of that size is resized, without padding."""
        size = resized(Size(height, width), self.input)
        return size.height, size.width

    def at(self, size: tuple[int, int]) -> CardPreprocess:
        """The same with another `size` in the card's `input`."""
        return replace(self, input=structs.replace(self.input, size=list(size)))


def _empty(shape: tuple[int, ...], dtype: torch.dtype, device: torch.device | str) -> Tensor:
    """An uninitialised tensor. NumPy allocates large pages on systems that have them, which halves
    the time of filling it on the CPU."""
    if torch.device(device).type == "cpu" and dtype is torch.float32:
        return torch.from_numpy(np.empty(shape, np.float32))
    return torch.empty(shape, dtype=dtype, device=device)


def _normalisation(
    rule: Input, device: torch.device | str, dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    """Factor and offset, `(3, 1, 1)` each, from pixels of 0 to 255 to the network's input."""
    mean = torch.tensor(rule.mean or [0.0] * 3, dtype=torch.float64)
    std = torch.tensor(rule.std or [1.0] * 3, dtype=torch.float64)
    scale = rule.range / 255 / std
    return scale.view(3, 1, 1).to(device, dtype), (-mean / std).view(3, 1, 1).to(device, dtype)


def resize(image: Tensor, size: Size, rule: Input) -> Tensor:
    """Resizes a uint8 image `(3, h, w)` to `(3, height, width)`, with whole numbers 0 to 255."""
    if tuple(image.shape[-2:]) == (size.height, size.width):
        return image
    if rule.interpolation in ("nearest", "nearest-exact"):
        return interpolate(image[None], (size.height, size.width), mode=rule.interpolation)[0]
    if image.device.type != "cpu":  # only the CPU resizes bytes
        image = image.float()
    result = interpolate(
        image[None],
        size=(size.height, size.width),
        mode=rule.interpolation,
        antialias=rule.antialias,
        align_corners=False,
    )[0]
    return result.round().clamp(0, 255) if result.is_floating_point() else result
