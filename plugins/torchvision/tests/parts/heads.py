"""Heads of composed detectors, and torchvision's detectors on the same maps with their weights."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torchvision.models.detection.transform import GeneralizedRCNNTransform

from zoo import LabelSpace
from zoo.contract import FeatureLevel, Thresholds
from zoo.detectors import Batch, InputTransform, Protocol, Target
from zoo.errors import LabelError

SIDE = 128  # every stride divides it, so that torchvision's guess at strides is right
LEVELS = (FeatureLevel(64, 8), FeatureLevel(64, 16), FeatureLevel(64, 32), FeatureLevel(64, 64))
SPACE = LabelSpace.custom(["a", "b", "c"])
PLACE = InputTransform(SIDE, SIDE, scale_y=1.0, scale_x=1.0)
TARGETS = [
    Target(torch.tensor([[10.0, 12, 60, 50], [40, 40, 120, 110]]), torch.tensor([0, 2])),
    Target(torch.tensor([[64.0, 8, 80, 30]]), torch.tensor([1])),
    Target(torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64)),
]


class Fixed(nn.Module):
    """A backbone that returns these maps, whatever it is shown."""

    def __init__(self, maps: tuple[Tensor, ...]) -> None:
        super().__init__()
        self.maps = maps
        self.out_channels = 64

    def forward(self, _: Tensor) -> OrderedDict[str, Tensor]:
        return OrderedDict((str(index), one) for index, one in enumerate(self.maps))


def maps_of() -> tuple[Tensor, ...]:
    generator = torch.Generator().manual_seed(1)
    return tuple(
        torch.randn(
            len(TARGETS), one.channels, SIDE // one.stride, SIDE // one.stride, generator=generator
        )
        for one in LEVELS
    )


def batch_of() -> Batch:
    return Batch(torch.rand(len(TARGETS), 3, SIDE, SIDE), (PLACE,) * len(TARGETS))


def loud(head: nn.Module) -> nn.Module:
    """Random weights that say something of noise."""
    torch.manual_seed(2)
    for name, one in head.named_parameters():
        if one.ndim > 1:
            nn.init.normal_(
                one,
                std=0.4 / one[0].numel() ** 0.5 if "bbox" in name else 1.5 / one[0].numel() ** 0.5,
            )
        elif "cls_logits" in name or "cls_score" in name:
            nn.init.zeros_(one)
    return head


@dataclass(frozen=True, repr=False)
class Family:
    """A head of ours, torchvision's detector with its layers, and the channels of background."""

    make: Callable[..., Any]
    reference: Callable[..., Any]
    background: int

    def ours(self) -> Any:
        return loud(self.make(levels=LEVELS, label_space=SPACE))

    def pair(self) -> tuple[Any, Any]:
        ours = self.ours()
        theirs = self.reference(ours, Fixed(maps_of()))
        theirs.transform = GeneralizedRCNNTransform(SIDE, SIDE, [0.0] * 3, [1.0] * 3)
        return ours, theirs


def assert_boxes_are_torchvisions(family: Family) -> None:
    """Of those that have an area, the best: torchvision's dense detectors return others, too."""
    ours, theirs = family.pair()
    most = ours.defaults.max_boxes
    getattr(theirs, "roi_heads", theirs).detections_per_img = 10_000
    batch = batch_of()
    with torch.inference_mode():
        found = ours.eval().decode(ours(maps_of(), batch), batch, ours.defaults)
        expected = theirs.eval()(list(batch.pixels))
    assert all(len(one) > 3 for one in found)
    for one, other in zip(found, expected, strict=True):
        best = (other["boxes"][:, 2:] > other["boxes"][:, :2]).all(dim=1).nonzero()[:most, 0]
        assert torch.allclose(one.boxes, other["boxes"][best], atol=1e-4)
        assert torch.equal(one.scores, other["scores"][best])
        assert torch.equal(one.labels, other["labels"][best] - family.background)


def assert_losses_are_torchvisions(family: Family) -> None:
    ours, theirs = family.pair()
    batch = batch_of()
    torch.manual_seed(3)
    found = ours.train().loss(ours(maps_of(), batch, TARGETS), batch, TARGETS)
    torch.manual_seed(3)
    theirs.train().transform.eval()  # or it would draw a size, and so other samples
    expected = theirs(
        list(batch.pixels),
        [{"boxes": one.boxes, "labels": one.labels + family.background} for one in TARGETS],
    )
    assert {name: loss.item() for name, loss in found.items()} == pytest.approx(
        {n: v.item() for n, v in expected.items()}
    )


def assert_thresholds_are_torchvisions(family: Family) -> None:
    ours, theirs = family.pair()
    owner = getattr(theirs, "roi_heads", theirs)
    assert ours.defaults == Thresholds(
        score=owner.score_thresh, iou=owner.nms_thresh, max_boxes=owner.detections_per_img
    )


def assert_a_protocol_decides(family: Family) -> None:
    ours, _ = family.pair()
    batch = batch_of()
    with torch.inference_mode():
        outputs = ours.eval()(maps_of(), batch)
        strict = ours.decode(outputs, batch, Protocol(score=0.6).thresholds(ours.defaults))
        few = ours.decode(outputs, batch, Protocol(max_boxes=2).thresholds(ours.defaults))
    assert all((one.scores >= 0.6).all() for one in strict)
    assert [len(one) for one in few] == [2, 2, 2]
    assert ours.defaults.max_boxes != 2


def assert_a_label_outside_is_refused(family: Family) -> None:
    ours, _ = family.pair()
    batch = batch_of()
    wrong = [TARGETS[0], TARGETS[1], Target(torch.tensor([[1.0, 1, 9, 9]]), torch.tensor([3]))]
    with pytest.raises(LabelError, match="the label 3"):
        ours.train().loss(ours(maps_of(), batch, wrong), batch, wrong)


def assert_it_runs_and_learns_in(family: Family, dtype: torch.dtype) -> None:
    head = family.make(levels=LEVELS, label_space=SPACE).to(dtype)
    maps, batch = tuple(one.to(dtype) for one in maps_of()), batch_of().to(dtype=dtype)
    losses = head.train().loss(head(maps, batch, TARGETS), batch, TARGETS)
    assert all(loss.isfinite() and loss.dtype == torch.float32 for loss in losses.values())
    with torch.inference_mode():
        seen = head.eval().decode(
            head(maps, batch), batch, Protocol(score=0.0).thresholds(head.defaults)
        )
    assert all(len(one) for one in seen)


def assert_outputs_of_train_mode_are_decoded(family: Family) -> None:
    ours, _ = family.pair()
    batch = batch_of()
    outputs = ours.train()(maps_of(), batch)
    seen, again = (
        ours.eval().decode(one, batch, Protocol().thresholds(ours.defaults))
        for one in (outputs, ours(maps_of(), batch))
    )
    assert all(torch.equal(one.boxes, other.boxes) for one, other in zip(seen, again, strict=True))
