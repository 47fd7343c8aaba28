"""Weights that see another thing in another image."""

from __future__ import annotations

import math
from typing import Any

import torch

from zoo.detectors import Detector
from zoo.testing import Model
from zoo.testing.conformance.images import detect, scene
from zoo.testing.conformance.lsuv import lsuv

SMALL: dict[str, Any] = {"arguments": {"size": 32}, "input": {"size": [32, 32]}}


def test_lively_weights_see_another_thing_in_another_picture() -> None:
    torch.manual_seed(0)
    model = Model.named("yolox_nano", **SMALL)
    dull = model.build()
    assert apart(dull) < 1e-3
    assert apart(lsuv(dull)) > 0.1


def apart(detector: Detector) -> float:
    """How much more it believes of one image than of another, as a logarithm."""
    one, other = (float(detect(detector, scene(seed=seed)).scores.max()) for seed in (1, 2))
    return abs(math.log(one / other))


def test_a_lively_detector_keeps_its_biases_and_types() -> None:
    detector = Model.named("yolox_nano", **SMALL).build()
    bias = detector.head.cls_preds[0].bias.clone()
    lsuv(detector)
    assert torch.equal(detector.head.cls_preds[0].bias, bias)
    assert isinstance(detector.head.cls_preds[0].bias, torch.nn.Parameter)
