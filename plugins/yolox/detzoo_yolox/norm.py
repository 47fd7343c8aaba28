"""Batch norm that stays as it is, in training too, where a checkpoint had folded it into the convolution before it.

Folding puts the statistics that a norm was trained with into weights and biases. What is left for the norm is the
identity, and one that went over to the statistics of each batch would undo the weights in the first step.
"""

from __future__ import annotations

from typing import Any, Self

import torch
from torch import Tensor, nn

EPS = 1e-3
MOMENTUM = 0.03


class Norm(nn.BatchNorm2d):
    """`nn.BatchNorm2d`; once filled from a folded checkpoint it keeps its statistics, and trains its scale and shift only."""

    folded = False

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=EPS, momentum=MOMENTUM)

    def train(self, mode: bool = True) -> Self:
        """Train mode, which a folded norm does not enter."""
        return super().train(mode and not self.folded)

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        """Called for every module by `load_state_dict`; a state dict saved after training a folded network is folded again."""
        super()._load_from_state_dict(*args, **kwargs)
        self.folded = self._is_rest()
        self.train(self.training)

    def _is_rest(self) -> bool:
        """Whether the statistics are those that `rest` writes, which neither a fresh norm nor a trained one has."""
        mean, variance = self.running_mean, self.running_var
        if mean is None or variance is None or mean.is_meta:
            return False
        return bool((mean == 0).all() and (variance == torch.tensor(1 - EPS, dtype=variance.dtype)).all())


def scales(weight: Tensor) -> Tensor:
    """How large each of a convolution's filters is, `(outputs,)`, as a power of two: dividing by it rounds nothing.

    Folding leaves filters of very different sizes, and one step of training changes small ones beyond recognition.
    """
    size = weight.float().flatten(1).norm(dim=1)  # (outputs,)
    return torch.where(size > 0, size / torch.frexp(size).mantissa, 1.0).to(weight.dtype)


def rest(bias: Tensor, scale: Tensor) -> dict[str, Tensor]:
    """The state of a norm that multiplies by `scale` and adds `bias`: its variance is the one that its epsilon completes to 1."""
    return {
        "weight": scale,
        "bias": bias,
        "running_mean": torch.zeros_like(bias, dtype=torch.float32),
        "running_var": torch.full_like(bias, 1 - EPS, dtype=torch.float32),
        "num_batches_tracked": torch.zeros((), dtype=torch.int64),
    }
