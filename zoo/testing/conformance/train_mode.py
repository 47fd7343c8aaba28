"""Puts a detector in train mode for a check, and restores it afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from zoo.detectors.detector import Detector


@contextmanager
def train_mode(detector: Detector) -> Iterator[None]:
    """Train mode with gradients; afterwards modes, running statistics and gradients are as they
    were."""
    modes = {module: module.training for module in detector.modules()}
    buffers = {name: buffer.clone() for name, buffer in detector.named_buffers()}
    grads = {parameter: parameter.grad for parameter in detector.parameters()}
    for parameter in grads:
        parameter.grad = None
    detector.train()
    try:
        with torch.inference_mode(False), torch.enable_grad():
            yield
    finally:
        _restore(detector, buffers)
        for module, mode in modes.items():
            module.training = mode
        for parameter, grad in grads.items():
            parameter.grad = grad


def _restore(detector: Detector, buffers: dict[str, Tensor]) -> None:
    with torch.no_grad():
        for name, buffer in detector.named_buffers():
            if name in buffers:
                buffer.copy_(buffers[name])
