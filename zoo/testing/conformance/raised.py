"""A look by a network that says more than its random weights do: it believes much, and its boxes
are large and overlap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from zoo.detectors.detector import Detector
from zoo.inference.runner import eval_mode
from zoo.testing.conformance.errors import NotApplicable
from zoo.testing.conformance.free_outputs import NO_LAYER, free_outputs
from zoo.testing.conformance.images import Pass, no_objects, preprocess
from zoo.testing.conformance.train_mode import train_mode


@dataclass(frozen=True)
class Rise:
    """The mean and the standard deviation that the outputs of each last layer are given."""

    mean: float
    spread: float

    def of(self, said: Tensor) -> Tensor:
        """The outputs of one layer, any shape, moved there; equal ones become the mean."""
        apart = said - said.mean()
        spread = float(apart.square().mean().sqrt())
        return apart * (self.spread / spread if spread > 0 else 0.0) + self.mean


BELIEVING = Rise(
    mean=3.0, spread=3.0
)  # a sigmoid makes scores from 0.05 to 1 of it, a softmax some above 0.9


def raised_pass(detector: Detector, images: Sequence[Tensor], rise: Rise) -> Pass:
    """A pass over these images with the outputs of the last layers raised.

    Random weights under a usual prior score everything below 0.1, and few of their boxes overlap:
    larger thresholds can't be tried on them. What comes behind the last layers, and `decode`, are
    the detector's own. Two images at least, as norms in train mode want more than one value.

    Raises: NotApplicable where no layer leads to its outputs.
    """
    with train_mode(detector):
        batch = preprocess(detector, images)
        with free_outputs(detector, batch, [no_objects() for _ in images]) as leaves:
            if not leaves:
                raise NotApplicable(NO_LAYER)
            for leaf in leaves:
                leaf.data.copy_(rise.of(leaf.data))
            with eval_mode(detector), torch.no_grad():
                return Pass(detector, batch, detector(batch))
