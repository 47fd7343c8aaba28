"""A covering set of compositions: every pair of backbone, neck and head, across packages, builds,
runs, trains and learns."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import pytest
import torch
from torch import Tensor
from torchvision.ops import box_iou

import zoo
from zoo.detectors import Batch, Composed, Protocol, Target

SIDE = 64
BACKBONES: list[dict[str, object]] = [
    {"backbone": "timm/test_resnet"},
    {"backbone": "torchvision/resnet18"},
    {"backbone": "yolox/cspdarknet", "backbone_arguments": {"depth": 0.33, "width": 0.125}},
    {"backbone": "torchvision/mobilenet_v3_small"},
]
NECKS: list[dict[str, object]] = [
    {"strides": (16,)},
    {"neck": "fpn", "neck_arguments": {"channels": 64}},
    {"neck": "bifpn", "neck_arguments": {"channels": 64, "layers": 1}},
    {"neck": "pafpn", "neck_arguments": {"channels": 64, "depth": 0.33}},
]
HEADS: list[dict[str, object]] = [
    {"head": "retinanet"},
    {"head": "fcos"},
    {"head": "ssd"},
    {"head": "yolox", "head_arguments": {"channels": 32}},
    {"head": "fasterrcnn", "head_arguments": {"hidden": 64}},
]
# The sum makes every backbone meet every neck and every head.
COVERING = [
    {**BACKBONES[(neck + head) % len(BACKBONES)], **NECKS[neck], **HEADS[head]}
    for neck, head in product(range(len(NECKS)), range(len(HEADS)))
]
# YOLOFPN returns maps of different widths, which only these two heads take.
COVERING += [
    {**BACKBONES[0], "neck": "yolofpn", **head}
    for head in HEADS
    if head["head"] in ("ssd", "yolox")
]
OBJECTS = ((8.0, 10.0, 40.0, 44.0), (30.0, 24.0, 60.0, 58.0))
EVERYTHING = Protocol(score=0.0)

covering = pytest.mark.parametrize(
    "parts",
    COVERING,
    ids=lambda parts: "-".join(
        str(parts.get(kind, "none")) for kind in ("backbone", "neck", "head")
    ),
)


def composed(parts: dict[str, object]) -> Composed:
    torch.manual_seed(0)
    rule = {"resize": "letterbox", "size": [SIDE, SIDE], "mean": [0.5] * 3, "std": [0.25] * 3}
    detector: Composed = zoo.compose(labels=["red", "blue"], input=rule, **parts)
    # so that running statistics follow in the few steps of a test
    for module in detector.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 0.5
    return detector


def images() -> list[Tensor]:
    """A red and a blue rectangle, in noise."""
    generator = torch.Generator().manual_seed(1)
    both = []
    for (x1, y1, x2, y2), color in zip(OBJECTS, ([250, 20, 20], [20, 20, 250]), strict=True):
        image = torch.randint(90, 130, (3, SIDE, SIDE), dtype=torch.uint8, generator=generator)
        image[:, int(y1) : int(y2), int(x1) : int(x2)] = torch.tensor(color, dtype=torch.uint8)[
            :, None, None
        ]
        both.append(image)
    return both


def truth() -> list[Target]:
    return [Target(torch.tensor([box]), torch.tensor([label])) for label, box in enumerate(OBJECTS)]


NOTHING = Target(torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64))


def total_loss(detector: Composed, batch: Batch, targets: Sequence[Target]) -> Tensor:
    losses = detector.loss(detector(batch, targets), batch, targets)
    assert all(loss.ndim == 0 for loss in losses.values())
    return torch.stack(list(losses.values())).sum()


def test_the_set_covers_every_pair() -> None:
    def named(kind: str) -> list[str]:
        return [
            str(parts.get(kind, "none")) for parts in COVERING if parts.get("neck") != "yolofpn"
        ]

    assert len(set(zip(named("backbone"), named("neck"), strict=True))) == len(BACKBONES) * len(
        NECKS
    )
    assert len(set(zip(named("backbone"), named("head"), strict=True))) == len(BACKBONES) * len(
        HEADS
    )
    assert len(set(zip(named("neck"), named("head"), strict=True))) == len(NECKS) * len(HEADS)


@covering
def test_it_sees_boxes_inside_images_of_any_size(parts: dict[str, object]) -> None:
    detector = composed(parts)
    sizes = [(50, 90), (64, 64), (7, 300)]
    seen = detector.detect(
        [torch.randint(0, 256, (3, *size), dtype=torch.uint8) for size in sizes], score=0.0
    )
    assert [one.size for one in seen] == sizes
    for one, (height, width) in zip(seen, sizes, strict=True):
        assert (one.boxes >= 0).all()
        assert (one.boxes <= torch.tensor([width, height, width, height])).all()
        assert set(one.labels.tolist()) <= {0, 1}
        assert (one.scores.diff() <= 0).all()


@covering
def test_its_loss_is_finite_and_reaches_every_parameter(parts: dict[str, object]) -> None:
    detector = composed(parts).train()
    batch = detector.preprocess(images())
    loss = total_loss(detector, batch, truth())
    loss.backward()
    assert loss.isfinite()
    assert [
        name
        for name, one in detector.named_parameters()
        if one.grad is None or not one.grad.isfinite().all()
    ] == []


@covering
@pytest.mark.parametrize("empty", [1, 2], ids=["one image is empty", "all are"])
def test_it_trains_on_images_without_objects(parts: dict[str, object], empty: int) -> None:
    detector = composed(parts).train()
    batch = detector.preprocess(images())
    targets = [*truth()[empty:], *[NOTHING] * empty]
    loss = total_loss(detector, batch, targets)
    loss.backward()
    assert loss.isfinite()
    assert all(one.grad is None or one.grad.isfinite().all() for one in detector.parameters())


@pytest.mark.slow
@covering
def test_it_learns_one_batch_by_heart(parts: dict[str, object]) -> None:
    detector = composed(parts).train()
    batch = detector.preprocess(images())
    optimizer = torch.optim.AdamW(
        detector.parameters(), lr=3e-3 if parts["head"] == "yolox" else 1e-3, fused=True
    )
    first = last = total_loss(detector, batch, truth()).item()
    for step in range(150):
        loss = total_loss(detector.train(), batch, truth())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(detector.parameters(), 10.0)
        optimizer.step()
        last = loss.item()
        if step % 10 == 9 and knows(detector, batch) and last < first / 2:
            return
    pytest.fail(
        f"after 150 steps the loss went from {first:.2f} to {last:.2f}, and knows is "
        f"{knows(detector, batch)}"
    )


def knows(detector: Composed, batch: Batch) -> bool:
    """Whether the best box of each image is its object."""
    detector.eval()
    with torch.inference_mode():
        seen = detector.decode(detector(batch), batch, EVERYTHING.thresholds(detector.defaults))
    return all(
        len(one) > 0
        and one.labels[0] == label
        and box_iou(one.boxes[:1], torch.tensor([box])).item() > 0.5
        for one, (label, box) in zip(seen, enumerate(OBJECTS), strict=True)
    )
