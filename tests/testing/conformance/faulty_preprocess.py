"""Toy detectors whose preprocess keeps every promise but one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from tests.testing.conformance.faulty_toys import equipped
from zoo.detectors import Batch, InputTransform, Target
from zoo.labels import LabelSpace
from zoo.testing import Toy
from zoo.testing.toy import Stretch


@dataclass(frozen=True)
class Altered(Stretch):
    """The toy's preprocess with a call of its own, which is given the toy's as its first
    argument."""

    call: Callable[..., Batch] = lambda ours, images: ours(images)

    def __call__(self, images: Sequence[Tensor], **where: Any) -> Batch:
        return self.call(partial(super().__call__, **where), images)

    def at(self, size: tuple[int, int]) -> Stretch:
        return replace(self, size=size)


def preprocessing(call: Callable[..., Batch]) -> type[Toy]:
    """A toy with a preprocess of its own: `call(ours, images)`, a function that pickle finds."""
    return equipped(lambda toy: setattr(toy, "preprocess", Altered(call=call)))


@dataclass(frozen=True)
class OneSize(Stretch):
    """A preprocess without another size."""

    def at(self, size: tuple[int, int]) -> Stretch:  # noqa: ARG002
        return self


@dataclass(frozen=True)
class Masked(Batch):
    """A batch that moves its pixels alone."""

    mask: Tensor | None = None

    def to(
        self, device: torch.device | str | None = None, dtype: torch.dtype | None = None
    ) -> Batch:
        return replace(self, pixels=self.pixels.to(device, dtype))


def masked(ours: Callable[..., Any], images: Sequence[Tensor]) -> Batch:
    made = ours(images)
    return Masked(made.pixels, made.transforms, mask=torch.ones(made.pixels.shape[2:]))


def with_network(toy: Toy, ours: Callable[..., Any], images: Sequence[Tensor]) -> Batch:
    return ours(images)


def refuse_size(ours: Callable[..., Any], images: Sequence[Tensor], *, size: Any) -> Batch:
    if any(image.shape[1:] == size for image in images):
        raise RuntimeError("The image does not fit.")
    return ours(images)


def refuse_gray(ours: Callable[..., Any], images: Sequence[Tensor]) -> Batch:
    if any(bool((image == 114).all()) for image in images):
        raise RuntimeError("The image does not fit.")
    return ours(images)


def single_precision(ours: Callable[..., Any], images: Sequence[Tensor]) -> Batch:
    return ours(images).to(dtype=torch.float32)


def writes_on_pictures(ours: Callable[..., Any], images: Sequence[Tensor]) -> Batch:
    made = ours(images)
    for image in images:
        image[0, 0, 0] += 1
    return made


def pairs_in_double(ours: Callable[..., Any], images: Sequence[Tensor]) -> Batch:
    made = ours(images)
    return made.to(dtype=torch.float64) if len(made) == 2 else made


class Doubled(Toy):
    """Preprocesses pairs in another type than the network's."""

    def __init__(self, label_space: LabelSpace) -> None:
        super().__init__(label_space)
        self.preprocess = Altered(call=pairs_in_double)

    def forward(self, batch: Batch, targets: Sequence[Target] | None = None) -> Tensor:
        return super().forward(batch.to(dtype=self.dtype), targets)


class Rounded(InputTransform):
    def to_original(self, boxes: Tensor) -> Tensor:
        return (
            super().to_original(boxes).mul(3).round() / 3
        )  # less than a pixel, which is all that other checks allow


def rounded(ours: Callable[..., Any], images: Sequence[Tensor]) -> Batch:
    made = ours(images)
    return replace(made, transforms=tuple(Rounded(**vars(place)) for place in made.transforms))
