"""`Training`: the state of a run that the loop works on, with its progress."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn

from zoo.data import Dataset
from zoo.detectors import Detector
from zoo.train.ema import Average
from zoo.train.logging import Log
from zoo.train.recipe import Recipe
from zoo.train.samples import Samples

if TYPE_CHECKING:  # an extra
    from accelerate import Accelerator


@dataclass
class Progress:
    """How far a run is. Checkpoints store these fields.

    step:    steps that are done. best: the number of the best weights, of step `best_step`.
    stale:   validations since `best` last rose. seconds: spent on training.
    numbers: of the last validation.
    """

    step: int = 0
    best: float | None = None
    best_step: int = 0
    stale: int = 0
    seconds: float = 0.0
    numbers: dict[str, float] = field(default_factory=dict)

    def record(self, number: float) -> bool:
        """Records the number of a validation; returns whether the current weights are the best.

        They are if the number is higher, or if it is 0 like all before: the last of them has
        learned most.
        """
        is_higher = self.best is None or number > self.best
        is_best = is_higher or number == self.best == 0
        self.stale = 0 if is_higher else self.stale + 1
        if is_best:
            self.best, self.best_step = number, self.step
        return is_best


@dataclass(frozen=True)
class Training:
    """Everything that takes part in a run.

    objective, optimizer: as `accelerator` prepared them for this device and these processes.
    parameters: the trainable ones.
    validation: the images to measure; without them the last weights are the best.
    tell: called with each row of the log, and with no more than `step` after the other steps.
    """

    recipe: Recipe
    detector: Detector
    objective: nn.Module
    optimizer: torch.optim.Optimizer
    parameters: Sequence[nn.Parameter]
    accelerator: Accelerator
    samples: Samples
    validation: Dataset | None
    average: Average | None
    progress: Progress
    log: Log
    folder: Path
    tell: Callable[[dict[str, float]], None]

    @property
    def is_main(self) -> bool:
        """Whether this process writes the files of the run."""
        return bool(self.accelerator.is_main_process)
