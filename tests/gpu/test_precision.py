"""Short floats on an accelerator: by the protocol, by the caller's autocast, and in the weights
themselves."""

from __future__ import annotations

import pytest
import torch

from zoo.contract import Protocol
from zoo.inference.detect import detect

NAMES = (
    "yolox_nano",
    "ssdlite320_mobilenet_v3_large",
    "fasterrcnn_mobilenet_v3_large_320_fpn",
    "fcos_resnet50_fpn",
)
SHORT = {"float16": 0.02, "bfloat16": 0.25}  # how far a score may be from that in float32


def best(found):
    """The best score of each image."""
    return torch.stack([one.scores[:1].sum() for one in found])


def check(found, expected, tolerance):
    assert [one.boxes.dtype for one in found] == [torch.float32] * len(found)
    assert all(bool(one.boxes.isfinite().all()) for one in found)
    apart = (best(found) - best(expected)).abs()
    assert float(apart.max()) <= tolerance, (
        f"the best scores are {apart.tolist()} apart, of {best(expected).tolist()}"
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("precision", SHORT)
def test_a_protocol_of_short_floats_finds_nearly_the_same(name, precision, make, images, device):
    detector = make(name, device)
    whole = Protocol(score=0.0, max_boxes=20)
    expected = detect(detector, images, protocol=whole, progress=False)
    short = Protocol(score=0.0, max_boxes=20, precision=precision)
    found = detect(detector, images, protocol=short, progress=False)
    check(found, expected, SHORT[precision])
    used = {one.dtype for one in detector.parameters()}
    assert used == {torch.float32}


@pytest.mark.parametrize("name", NAMES)
def test_the_callers_autocast_is_respected(name, make, images, device):
    detector = make(name, device)
    expected = detector.detect(images, score=0.0, max_boxes=20, progress=False)
    with torch.autocast(device.type, dtype=torch.bfloat16):
        found = detector.detect(images, score=0.0, max_boxes=20, progress=False)
    check(found, expected, SHORT["bfloat16"])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("precision", SHORT)
def test_weights_may_be_short_themselves(name, precision, make, images, device):
    expected = make(name, device).detect(images, score=0.0, max_boxes=20, progress=False)
    short = make(name, device).to(getattr(torch, precision))
    found = short.detect(images, score=0.0, max_boxes=20, progress=False)
    check(found, expected, 2 * SHORT[precision])


@pytest.mark.parametrize("name", NAMES)
def test_a_step_of_training_runs_under_autocast(name, make, images, device):
    from zoo.contract import Target

    detector = make(name, device).train()
    target = Target(torch.tensor([[10.0, 8.0, 60.0, 60.0]]), torch.tensor([1]))
    batch = detector.preprocess([images[0], images[3]], device=device)
    with torch.autocast(device.type, dtype=torch.bfloat16):
        losses = detector.loss(detector(batch, [target, target]), batch, [target, target])
    sum(losses.values()).backward()
    assert all(bool(loss.isfinite()) for loss in losses.values()), {
        key: float(loss) for key, loss in losses.items()
    }
    grads = [one.grad for one in detector.parameters() if one.grad is not None]
    assert all(bool(grad.isfinite().all()) for grad in grads)
