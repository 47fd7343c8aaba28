"""The loop: steps, validations and checkpoints of a run, for every detector with a loss."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from torch import distributed, nn

from zoo.detectors import Detector
from zoo.train.augment import draw_of
from zoo.train.checkpoints import Progress
from zoo.train.ema import Average
from zoo.train.failures import enough_memory, is_a_number, no_number
from zoo.train.logging import EVERY, Log
from zoo.train.optimizer import set_rates, train_mode
from zoo.train.recipe import Recipe
from zoo.train.samples import Samples, Share, shares

CHECKPOINT_SECONDS = 60.0


@dataclass(frozen=True)
class Training:
    """Everything that takes part in a run.

    objective, optimizer: as `accelerator` prepared them for this device and these processes.
    parameters: those that are trained.
    validate: the numbers of the detector as it is, the same for every process.
    keep: writes a checkpoint. better: is told of new best weights. tell: is told of each row.
    """

    recipe: Recipe
    detector: Detector
    objective: nn.Module
    optimizer: Any
    parameters: Sequence[nn.Parameter]
    accelerator: Any
    samples: Samples
    average: Average | None
    progress: Progress
    log: Log
    folder: Path
    validate: Callable[[], dict[str, float]] | None
    keep: Callable[[], None]
    better: Callable[[], None]
    tell: Callable[[dict[str, float]], None]


def run(training: Training) -> None:
    """Trains from the step that `progress` is at to the end, or until nothing gets better.

    Random numbers of a step depend on the seed and the step alone, so that a run which stopped
    goes on bit for bit.
    """
    recipe, progress, samples = training.recipe, training.progress, training.samples
    accelerator, steps = training.accelerator, training.samples.steps
    rank, processes = accelerator.process_index, accelerator.num_processes
    batches = shares(*(samples, progress.step, rank, processes), device=accelerator.device.type)
    train_mode(training.detector, recipe)
    clock, kept = Clock(), time.monotonic()
    for step, group in batches:
        clock.arrived()
        torch.manual_seed(draw_of(recipe.seed, step, rank).getrandbits(63))
        rate = set_rates(training.optimizer, recipe, step, steps)
        with enough_memory(recipe, step=step, size=samples.preprocess.size, processes=processes):
            training.log.losses(optimize(training, step, group))
        progress.step += 1
        if training.average is not None:
            training.average.update(training.detector, progress.step)
        progress.seconds += clock.done()

        validates = _is_due(progress.step, recipe.validate_every, steps)
        if _is_due(progress.step, EVERY, steps) or validates:
            epoch = progress.step * recipe.batch_size / len(samples.dataset)
            row = {"epoch": epoch, "rate": rate, **clock.speeds(recipe.batch_size)}
            training.tell(training.log.row(progress.step, **row))
        if validates:
            validated(training)
        since = time.monotonic() - kept
        if validates or is_checkpoint_due(recipe, progress.step, since):
            training.keep()
            kept = time.monotonic()
        if is_over(recipe, progress, steps):
            break
        clock.wait()


def optimize(training: Training, step: int, group: Sequence[Share]) -> dict[str, float]:
    """One step of the optimizer on the shares of this process; the mean of each loss.

    Raises: TrainError for a loss or a gradient that is not a number.
    """
    recipe, accelerator, optimizer = training.recipe, training.accelerator, training.optimizer
    means: dict[str, float] = {}
    count = sum(len(share.targets) for share in group)
    for number, given in enumerate(group):
        share = given.to(accelerator.device, channels_last=recipe.channels_last)
        last = number == len(group) - 1
        with nullcontext() if last else accelerator.no_sync(training.objective):
            losses = training.objective(share.batch, share.targets)
            accelerator.backward(torch.stack(list(losses.values())).sum() * share.part.weight)
        values = torch.stack(list(losses.values())).tolist()
        parts = dict(zip(losses, values, strict=True))
        if not is_a_number(parts):
            raise no_number(step, parts, group, training.samples, training.folder)
        for name, value in parts.items():
            means[name] = means.get(name, 0.0) + value * len(share.targets) / count
    if recipe.clip is not None:
        norm = float(accelerator.clip_grad_norm_(training.parameters, recipe.clip))
        if recipe.precision != "float16" and not is_a_number({"gradient": norm}):
            raise no_number(step, {"gradient": norm}, group, training.samples, training.folder)
    optimizer.step()
    optimizer.zero_grad()
    return means


def validated(training: Training) -> None:
    """Measures the weights, or their average, and notes whether they are the best."""
    progress, average = training.progress, training.average
    with average.inside(training.detector) if average else nullcontext():
        if training.validate is None:
            progress.best_step = progress.step
            return training.better()
        _share_network(training)
        progress.numbers = training.validate()
        training.tell(training.log.add({"step": progress.step, **progress.numbers}))
        if is_best(progress, progress.numbers.get(training.recipe.best, 0.0)):
            training.better()
    return None


@torch.no_grad()
def _share_network(training: Training) -> None:
    """Gives every process the network of the first, whose weights are kept: statistics of a batch
    norm follow the images of a process, averages begin with its weights, and all have to measure
    one network."""
    if training.accelerator.num_processes > 1:
        for tensor in chain(training.detector.parameters(), training.detector.buffers()):
            value = tensor.contiguous()
            distributed.broadcast(value, src=0)
            tensor.copy_(value)


def is_best(progress: Progress, number: float) -> bool:
    """Notes the number of a validation, and whether its weights are the best so far: they are if
    it is higher, or still 0, as long as nothing has been found."""
    best, progress.stale = progress.best, progress.stale + 1
    if best is not None and (number < best or number == best != 0):
        return False
    if best is None or number > best:
        progress.stale = 0
    progress.best, progress.best_step = number, progress.step
    return True


def is_over(recipe: Recipe, progress: Progress, steps: int) -> bool:
    """Whether a run is at its end, or has had no better number for as long as its patience."""
    patient = recipe.patience is None or progress.stale < recipe.patience
    return progress.step >= steps or not patient


def is_checkpoint_due(recipe: Recipe, step: int, seconds: float) -> bool:
    """Whether to write a checkpoint after a step, that many seconds after the last one."""
    if recipe.checkpoint_every is None:
        return seconds >= CHECKPOINT_SECONDS
    return step % recipe.checkpoint_every == 0


def _is_due(step: int, every: int | None, steps: int) -> bool:
    return step == steps or (every is not None and step % every == 0)


class Clock:
    """Time of steps, and of waiting for their images, since it was last read."""

    def __init__(self) -> None:
        self._start = self._ready = time.perf_counter()
        self._waited = self._spent = 0.0
        self._steps = 0

    def wait(self) -> None:
        """The next images are waited for from now on."""
        self._start = time.perf_counter()

    def arrived(self) -> None:
        """They are there."""
        self._ready = time.perf_counter()
        self._waited += self._ready - self._start

    def done(self) -> float:
        """A step is done; its seconds, with those of waiting."""
        seconds = time.perf_counter() - self._start
        self._spent += seconds
        self._steps += 1
        return seconds

    def speeds(self, batch_size: int) -> dict[str, float]:
        """Images a second, and the share of the time that was spent waiting for them."""
        spent, waited, steps = self._spent, self._waited, self._steps
        self._waited = self._spent = 0.0
        self._steps = 0
        whole = max(spent, 1e-9)
        return {"images_per_second": steps * batch_size / whole, "waiting": waited / whole}
