"""The one interface every model of the zoo has: four steps, and `detect` around them.

    images --prepare--> Batch --forward--> raw --decode--> list[Detections]
                                            └---loss(targets)--> dict[str, Tensor]

Training, export, serving and timing need nothing else.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from zoo.detections import Detections
from zoo.parts.batch import Batch, Target
from zoo.parts.protocol import Protocol
from zoo.labels import LabelSpace


class Detector(nn.Module, ABC):
    """A network that finds boxes. A plugin subclasses it and writes the four steps.

    space:  the label space of its detections.
    native: the family's own thresholds, with every setting filled in.
    """

    space: LabelSpace
    native: Protocol

    def __init__(self, *, space: LabelSpace, native: Protocol) -> None:
        super().__init__()
        self.space = space
        self.native = native

    @abstractmethod
    def prepare(self, images: Sequence[Tensor]) -> Batch:
        """uint8 RGB tensors `(3, h, w)` of any sizes to the network's input, on the network's device."""

    @abstractmethod
    def forward(self, batch: Batch) -> Any:
        """The network's raw output; its type is the family's own business."""

    @abstractmethod
    def decode(self, raw: Any, batch: Batch, protocol: Protocol) -> list[Detections]:
        """Raw output to detections in original pixels, one `Detections` a picture, on the CPU.

        Open settings of `protocol` are filled from `native`.
        """

    @abstractmethod
    def loss(self, raw: Any, batch: Batch, targets: Sequence[Target]) -> dict[str, Tensor]:
        """Named scalar losses of `raw` (made in train mode) against the truth; their sum is what training minimises."""

    def input_size(self, height: int, width: int) -> tuple[int, int]:
        """The network's input `(height, width)` for a picture of that size; pictures that agree share a batch unpadded."""
        return height, width

    def from_checkpoint(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """A published checkpoint's tensors under this module's names; overridden where upstream named them otherwise."""
        return dict(state)

    @property
    def device(self) -> torch.device:
        """Where the network's weights are."""
        return next(self.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """The float type of the network's weights."""
        return next(self.parameters()).dtype
