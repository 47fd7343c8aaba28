"""Variants of a detector that are wrong in one way, which random weights and small images hide:
each is found by its check."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
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
from zoo.testing import CHECKS, Model, Toy, run

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


VARIANTS: dict[str, tuple[str, type[Toy]]] = {
    "smaller boxes in images over 600 pixels": (
        "boxes_follow_the_image",
        decoding(smaller_when_large),
    ),
    "shifted images over 600 pixels": (
        "places_point_at_the_pixels",
        preparing(lambda image: image.roll(50, 2) if image.shape[2] > 600 else image),
    ),
    "exchanged axes": (
        "places_point_at_the_pixels",
        preparing(lambda image: image.transpose(1, 2).reshape(image.shape)),
    ),
    "whole pixels": (
        "boxes_between_pixels",
        decoding(lambda self, ours, batch, rules: [moved(one, torch.round) for one in ours(rules)]),
    ),
    "suppression across classes": ("only_overlaps_suppressed", suppressing(classes=False)),
    "an IoU of its own": ("iou_obeyed", suppressing(iou=lambda _: 0.5)),
    "an IoU of its own at most": (
        "iou_is_the_callers",
        suppressing(iou=lambda given: min(given, 0.5)),
    ),
    "an IoU of its own at least": (
        "iou_is_the_callers",
        suppressing(iou=lambda given: max(given, 0.5)),
    ),
    "a max_boxes of its own at most": ("max_boxes_is_the_callers", capped(max_boxes=10)),
    "no score over a half is asked for": ("score_floor_obeyed", capped(score=0.5)),
    "two boxes before suppression": ("many_boxes_returned", suppressing(top=2)),
    "max_boxes before suppression": ("best_of_what_is_kept", decoding(first_before_suppression)),
    "batches of more than eight": ("large_batches_change_nothing", MixedUpBeyondEight),
    "gray images": (
        "gray_is_no_special_case",
        preparing(lambda image: image // 2 if bool((image == image[:1]).all()) else image),
    ),
    "a loss that grows with the square of the batch": (
        "loss_is_per_image_or_summed",
        losing(list, scale=lambda targets: len(targets) ** 2),
    ),
    "the last image": ("every_image_counts", losing(lambda targets: [*targets[:-1], NOTHING])),
    "the first image's truth for all": (
        "every_image_counts",
        losing(lambda targets: targets[:1] * len(targets)),
    ),
    "more than three objects": (
        "every_object_counts",
        losing(lambda targets: [Target(one.boxes[:3], one.labels[:3]) for one in targets]),
    ),
    "the order of objects": ("every_object_counts", losing(first_labels)),
    "positives alone": ("background_is_unlearnt", PositivesAlone),
    "a part that is multiplied by 0": ("gradients_reach_every_part", Starving),
    "a class in the middle": (
        "loss_teaches_the_named_class",
        losing(
            lambda targets: [
                Target(one.boxes[one.labels != 1], one.labels[one.labels != 1]) for one in targets
            ]
        ),
    ),
    "small objects": (
        "small_and_many_objects_train",
        losing(list, scale=nan_where_less_than_a_pixel),
    ),
    "objects without area": ("small_and_many_objects_train", losing(fattened)),
}


@pytest.mark.parametrize("variant", list(VARIANTS))
def test_a_wrong_variant_is_found_by_its_check(variant: str) -> None:
    check, kind = VARIANTS[variant]
    [outcome] = run(Model("toy", kind, SPACE), only=[check])
    assert outcome.status == "failed"
    assert outcome.reason


@pytest.mark.parametrize("own", [0.5, 0.6, 0.65, 0.7, 0.8, 0.9])
def test_no_iou_of_its_own_is_blamed_on_a_detector_whose_boxes_never_overlap_by_more(
    own: float,
) -> None:
    class Tolerant(Toy):
        def __init__(self, label_space: LabelSpace) -> None:
            super().__init__(label_space)
            self.defaults = replace(self.defaults, iou=own)

    [outcome] = run(Model("toy", Tolerant, SPACE), only=["iou_is_the_callers"])
    assert outcome.status in ("passed", "skipped"), outcome.reason


def test_what_a_toy_does_right_none_of_these_checks_minds() -> None:
    checks = sorted({check for check, _ in VARIANTS.values()})
    assert [
        one.reason for one in run(Model("toy", Toy, SPACE), only=checks) if one.status != "passed"
    ] == []


def test_every_check_has_a_detector_that_fails_it() -> None:
    """But for some: a second device, an installed plugin, trained weights (test_expects.py), two
    maps (test_background.py)."""
    spec = importlib.util.spec_from_file_location(
        "broken_toys", Path(__file__).with_name("test_checks.py")
    )
    assert spec
    assert spec.loader
    beside = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = beside  # where its toys are registered
    spec.loader.exec_module(beside)
    found = {check for check, _ in VARIANTS.values()}
    assert set(CHECKS) - set(beside.BROKEN) - found == {
        "other_device",
        "background_is_unlearnt_everywhere",
        "registering_imports_no_torch",
        "expected_detections",
        "claim_reached",
    }


@pytest.mark.parametrize("step", ["__init__", "preprocess", "forward", "decode", "loss"])
def test_a_detector_that_ends_the_process_fails_a_check_and_ends_nothing(step: str) -> None:
    def leave(*_: Any) -> None:
        sys.exit(0)

    leaving = (
        preprocessing(leave) if step == "preprocess" else type("Leaving", (Toy,), {step: leave})
    )
    [outcome] = run(
        Model("toy", leaving, SPACE),
        only=["loss_is_finite" if step == "loss" else "sees_something"],
    )
    assert (outcome.status, outcome.ended) == ("failed", True)
    assert outcome.reason == "Its code called sys.exit(0), which ends whatever uses it."
