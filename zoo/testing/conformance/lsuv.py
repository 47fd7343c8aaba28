"""Initialises a detector layer by layer to unit variance, so that its detections differ from
image to image."""

from __future__ import annotations

from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from zoo.detectors.detector import Detector
from zoo.testing.conformance.images import preprocess, scene

AnyDetector = TypeVar("AnyDetector", bound=Detector)
LAYERS = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
MIN_SPREAD = 1e-12  # below it, the spread is the rounding of equal numbers


def lsuv(detector: AnyDetector) -> AnyDetector:
    """The detector itself, each layer's weights scaled so that its output for one image has a
    standard deviation of 1.

    With random weights, deep networks tend to detect the same in every image, and a check that
    compares images would prove nothing. Layers are scaled in the order in which they run, as in
    LSUV (Mishkin and Matas 2015, arXiv:1511.06422); biases, and so the priors of heads, stay.
    """
    scaled: set[nn.Module] = set()

    def scale(layer: Any, inputs: tuple[Tensor, ...]) -> None:
        if layer in scaled:
            return
        scaled.add(layer)
        bias, layer.bias = layer.bias, None
        spread = float(layer.forward(*inputs).std())
        layer.bias = bias
        if MIN_SPREAD < spread < float("inf"):
            layer.weight.div_(spread)

    layers = [module for module in detector.modules() if type(module) in LAYERS]
    hooks = [layer.register_forward_pre_hook(scale) for layer in layers]
    try:
        with torch.no_grad():
            detector(preprocess(detector, [scene()]))
    finally:
        for hook in hooks:
            hook.remove()
    return detector
