"""Runs a detector with raised scores and large, overlapping boxes."""

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
    """The mean and standard deviation to give the outputs of each last layer."""

    mean: float
    spread: float

    def of(self, outputs: Tensor) -> Tensor:
        """The outputs of one layer, any shape, with that mean and deviation; equal outputs all
        become the mean."""
        centred = outputs - outputs.mean()
        deviation = float(centred.square().mean().sqrt())
        return centred * (self.spread / deviation if deviation > 0 else 0.0) + self.mean


# A sigmoid makes scores from 0.05 to 1 of these outputs; a softmax makes some above 0.9.
CONFIDENT = Rise(mean=3.0, spread=3.0)


def raised_pass(detector: Detector, images: Sequence[Tensor], rise: Rise) -> Pass:
    """A pass over these images with the outputs of the last layers raised.

    With random weights and a usual prior, all scores are below 0.1 and few boxes overlap, so larger
    thresholds can't be tested. The code behind the last layers, and `decode`, is the detector's
    own. Needs two images, as norms in train mode need more than one value.

    Raises: NotApplicable if no layer leads to its outputs.
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
