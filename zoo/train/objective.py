"""A detector and its loss as one module, so that whatever wraps the network wraps both."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map

from zoo.contract import Batch, Target
from zoo.contract.shares import shared_batch
from zoo.detectors import Detector
from zoo.train.failures import enough_values


class Objective(nn.Module):
    """Computes named losses from a batch and targets, in float32 whatever the network's type is."""

    def __init__(self, detector: Detector, *, processes: int = 1) -> None:
        super().__init__()
        self.detector = detector
        self.processes = processes

    def forward(self, batch: Batch, targets: tuple[Target, ...]) -> dict[str, Tensor]:
        """Named scalar losses."""
        with enough_values(batch):
            outputs = self.detector(batch, list(targets))
        kind = batch.pixels.device.type
        with torch.autocast(kind, enabled=False), shared_batch(self.processes):
            losses: dict[str, Tensor] = self.detector.loss(
                tree_map(_in_float32, outputs), batch, list(targets)
            )
        return losses


def _in_float32(value: Any) -> Any:
    short = isinstance(value, Tensor) and value.dtype in (torch.float16, torch.bfloat16)
    return value.float() if short else value
