"""Short floats, by autocast or in the weights: anchors, proposals and boxes stay in float32, and
every family runs and learns."""

import pytest
import torch

import zoo
from zoo.contract import Target
from zoo.testing.conformance.images import scene

NAMES = ("ssdlite320_mobilenet_v3_large", "fasterrcnn_mobilenet_v3_large_320_fpn")
SHORT = torch.bfloat16  # a processor takes minutes for the other


@pytest.fixture(params=NAMES)
def detector(request):
    torch.manual_seed(0)
    return zoo.load(request.param, weights=False)


def boxes_of(outputs):
    return outputs.anchors if hasattr(outputs, "anchors") else torch.cat(outputs.proposals)


@pytest.mark.parametrize("way", ["autocast", "weights"])
def test_detections_come_of_boxes_in_float32(detector, way):
    image = scene(200, 300)
    expected = detector.detect(image, score=0.0, max_boxes=10)
    if way == "weights":
        detector.to(SHORT)
    with torch.autocast("cpu", dtype=SHORT, enabled=way == "autocast"), torch.inference_mode():
        batch = detector.preprocess([image], dtype=detector.dtype)
        outputs = detector(batch)
        found = detector.detect(image, score=0.0, max_boxes=10)
    assert boxes_of(outputs).dtype == torch.float32
    assert len(found) == len(expected)
    assert abs(float(found.scores[0]) - float(expected.scores[0])) < 0.1


def test_it_learns_in_them(detector):
    detector.train().to(SHORT)
    images = [scene(200, 300, seed=number) for number in range(2)]
    batch = detector.preprocess(images, dtype=SHORT)
    target = Target(torch.tensor([[20.0, 30, 150, 160]]), torch.tensor([1]))
    losses = detector.loss(detector(batch, [target, target]), batch, [target, target])
    assert all(loss.isfinite() and loss.dtype == torch.float32 for loss in losses.values())
