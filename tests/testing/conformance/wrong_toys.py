"""Toys that are wrong in one way, which random weights and small images hide."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torchvision.ops import batched_nms

from tests.testing.conformance.faulty_preprocess import (
    preprocessing,
)
from zoo.contract import Thresholds
from zoo.detections import Detections
from zoo.detectors import Batch, Target
from zoo.labels import LabelSpace
from zoo.testing import Toy

SPACE = LabelSpace.custom(["red", "green", "blue"])
NOTHING = Target(torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64))


def decoding(
    change: Callable[
        [Toy, Callable[[Thresholds], list[Detections]], Batch, Thresholds], list[Detections]
    ],
) -> type[Toy]:
    """A toy that decodes in its own way, given the toy's as a function of a protocol."""

    class Decoding(Toy):
        def decode(self, outputs: Tensor, batch: Batch, thresholds: Thresholds) -> list[Detections]:
            ours = super().decode
            return change(self, lambda other: ours(outputs, batch, other), batch, thresholds)

    return Decoding


def suppressing(
    *, classes: bool = True, top: int = 1000, iou: Callable[[float], float] = lambda given: given
) -> type[Toy]:
    """A toy whose suppression looks at so many boxes, may forget the classes, and may take another
    IoU than is given."""

    def change(
        self: Toy, ours: Callable[[Thresholds], list[Detections]], batch: Batch, rules: Thresholds
    ) -> list[Detections]:
        found = []
        for seen in ours(replace(rules, iou=1.0, max_boxes=10_000)):
            best = seen.top(min(top, len(seen)))
            labels = best.labels if classes else torch.zeros_like(best.labels)
            kept = batched_nms(best.boxes, best.scores, labels, iou(rules.iou or 0.0))
            found.append(best[kept[: rules.max_boxes]])
        return found

    return decoding(change)


def capped(**most: Any) -> type[Toy]:
    """A toy that takes no larger values of these settings than it has itself."""

    def change(
        self: Toy, ours: Callable[[Thresholds], list[Detections]], batch: Batch, rules: Thresholds
    ) -> list[Detections]:
        return ours(
            replace(
                rules, **{name: min(getattr(rules, name), value) for name, value in most.items()}
            )
        )

    return decoding(change)


def moved(one: Detections, change: Callable[[Tensor], Tensor]) -> Detections:
    height, width = one.size or (0, 0)
    boxes = change(one.boxes).clamp(min=0).minimum(torch.tensor([width, height, width, height]))
    return Detections(boxes, one.scores, one.labels, one.label_space, size=one.size)


def smaller_when_large(
    self: Toy, ours: Callable[[Thresholds], list[Detections]], batch: Batch, rules: Thresholds
) -> Any:
    return [
        moved(one, lambda boxes: boxes * 0.9) if max(one.size or ()) > 600 else one
        for one in ours(rules)
    ]


def first_before_suppression(
    self: Toy, ours: Callable[[Thresholds], list[Detections]], batch: Batch, rules: Thresholds
) -> Any:
    everything = ours(replace(rules, iou=1.0, max_boxes=10_000))
    return [one.top(rules.max_boxes or 0).suppress("nms", iou=rules.iou) for one in everything]


def preparing(change: Callable[[Tensor], Tensor]) -> type[Toy]:
    return preprocessing(lambda ours, images: ours([change(image) for image in images]))


class MixedUpBeyondEight(Toy):
    def forward(self, batch: Batch, targets: Sequence[Target] | None = None) -> Tensor:
        if len(batch) > 8:
            batch = replace(batch, pixels=batch.pixels.roll(1, 0))
        return super().forward(batch, targets)


def losing(
    change: Callable[[list[Target]], list[Target]],
    scale: Callable[[Sequence[Target]], float] = lambda _: 1.0,
) -> type[Toy]:
    """A toy that learns another truth, or whose loss has another scale."""

    class Losing(Toy):
        def loss(
            self, outputs: Tensor, batch: Batch, targets: Sequence[Target]
        ) -> dict[str, Tensor]:
            losses = super().loss(outputs, batch, change(list(targets)))
            return {name: loss * scale(targets) for name, loss in losses.items()}

    return Losing


class PositivesAlone(Toy):
    """Learns what is there, and not what is not."""

    def loss(self, outputs: Tensor, batch: Batch, targets: Sequence[Target]) -> dict[str, Tensor]:
        losses = super().loss(outputs, batch, targets)
        there = losses["kind"] - functional.binary_cross_entropy_with_logits(
            outputs[:, 4:], torch.zeros_like(outputs[:, 4:])
        )
        return {**losses, "kind": there}  # the cells of which the truth is 0 are taken out again


class Starving(Toy):
    """Has a part that every object leaves without a gradient."""

    def __init__(self, label_space: LabelSpace) -> None:
        super().__init__(label_space)
        self.coarse = torch.nn.Conv2d(3, 4, 1)

    def forward(self, batch: Batch, targets: Sequence[Target] | None = None) -> Tensor:
        outputs = super().forward(batch, targets)
        return torch.cat(
            [
                outputs[:, :4] + 0 * self.coarse(batch.pixels).mean((2, 3), keepdim=True),
                outputs[:, 4:],
            ],
            1,
        )


def first_labels(targets: list[Target]) -> list[Target]:
    """All objects of an image are of the class of the first."""
    return [Target(one.boxes, one.labels[:1].expand(len(one.labels)).clone()) for one in targets]


def fattened(targets: list[Target]) -> list[Target]:
    """Objects without area are a pixel wide."""
    thin = [(one.boxes[:, 2:] == one.boxes[:, :2]).float() for one in targets]
    return [
        Target(one.boxes + torch.cat([-more, more], 1), one.labels)
        for one, more in zip(targets, thin, strict=True)
    ]


def nan_where_less_than_a_pixel(targets: Sequence[Target]) -> float:
    small = any(bool((one.boxes[:, 2:] - one.boxes[:, :2] < 1).any()) for one in targets)
    return float("nan") if small else 1.0
