"""Toy inputs of the tests of torchvision's detectors."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from zoo import Protocol
from zoo.detectors import Target
from zoo.labels import LabelSpace

SPACE = LabelSpace.custom(["helmet", "vest", "boot"])


@torch.no_grad()
def detections_of(detector: Any, images: list[Tensor], **settings: Any) -> Any:
    batch = detector.preprocess(images, dtype=detector.dtype)
    return detector.decode(
        detector(batch), batch, Protocol(**settings).thresholds(detector.defaults)
    )


def target(*boxes: tuple[float, float, float, float], label: int = 0) -> Target:
    return Target(torch.tensor(boxes).reshape(-1, 4), torch.full((len(boxes),), label))
