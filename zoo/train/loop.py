"""The loop: steps, validations and checkpoints of a run, for every detector with a loss."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import nullcontext
from itertools import chain

import torch
from torch import distributed

from zoo.train.augment import draw_of
from zoo.train.checkpoints import save_best, save_checkpoint
from zoo.train.failures import enough_memory, is_a_number, no_number
from zoo.train.logging import ROW_STEPS
from zoo.train.optimizer import set_rates, train_mode
from zoo.train.recipe import Recipe
from zoo.train.samples import MicroBatch, micro_batches
from zoo.train.sheets import draw_detection_sheets
from zoo.train.training import Progress, Training
from zoo.train.validation import measure

CHECKPOINT_SECONDS = 60.0


def run(training: Training) -> None:
    """Trains from the step of `progress` to the last one, or until nothing gets better.

    The random numbers of a step depend on the seed and the step alone, so a run that was stopped
    goes on bit for bit.
    """
    recipe, progress, samples = training.recipe, training.progress, training.samples
    accelerator, steps = training.accelerator, training.samples.steps
    rank, processes = accelerator.process_index, accelerator.num_processes
    batches = micro_batches(samples, progress.step, rank, processes, device=accelerator.device.type)
    train_mode(training.detector, recipe)
    clock, saved_at = Clock(), time.monotonic()
    for step, group in batches:
        clock.stop_waiting()
        torch.manual_seed(draw_of(recipe.seed, step, rank).getrandbits(63))
        rate = set_rates(training.optimizer, recipe, step, steps)
        with enough_memory(recipe, step=step, size=samples.preprocess.size, processes=processes):
            training.log.losses(optimize(training, step, group))
        progress.step += 1
        if training.average is not None:
            training.average.update(training.detector, progress.step)
        progress.seconds += clock.end_step()

        validates = _is_due(progress.step, recipe.validate_every, steps)
        if _is_due(progress.step, ROW_STEPS, steps) or validates:
            epoch = progress.step * recipe.batch_size / len(samples.dataset)
            row = {"epoch": epoch, "rate": rate, **clock.speeds(recipe.batch_size)}
            training.tell(training.log.row(progress.step, **row))
        else:
            training.tell({"step": progress.step})
        if validates:
            validate(training)
        since = time.monotonic() - saved_at
        if validates or is_checkpoint_due(recipe, progress.step, since):
            if training.is_main:
                save_checkpoint(training)
            saved_at = time.monotonic()
        if is_over(recipe, progress, steps):
            break
        clock.start_waiting()


def optimize(training: Training, step: int, group: Sequence[MicroBatch]) -> dict[str, float]:
    """One step of the optimizer on the micro-batches of this process; the mean of each loss.

    Raises: TrainError for a loss or a gradient that is not a number.
    """
    recipe, accelerator, optimizer = training.recipe, training.accelerator, training.optimizer
    means: dict[str, float] = {}
    count = sum(len(micro_batch.targets) for micro_batch in group)
    for number, on_cpu in enumerate(group):
        micro_batch = on_cpu.to(accelerator.device, channels_last=recipe.channels_last)
        targets, weight = micro_batch.targets, micro_batch.span.weight
        is_last = number == len(group) - 1
        with nullcontext() if is_last else accelerator.no_sync(training.objective):
            losses = training.objective(micro_batch.batch, targets)
            accelerator.backward(torch.stack(list(losses.values())).sum() * weight)
        values = torch.stack(list(losses.values())).tolist()
        parts = dict(zip(losses, values, strict=True))
        if not is_a_number(parts):
            raise no_number(step, parts, group, training.samples, training.folder)
        for name, value in parts.items():
            means[name] = means.get(name, 0.0) + value * len(targets) / count
    if recipe.clip is not None:
        norm = float(accelerator.clip_grad_norm_(training.parameters, recipe.clip))
        # float16 skips a step whose gradient overflows
        if recipe.precision != "float16" and not is_a_number({"gradient": norm}):
            raise no_number(step, {"gradient": norm}, group, training.samples, training.folder)
    optimizer.step()
    optimizer.zero_grad()
    return means


def validate(training: Training) -> None:
    """Measures the weights, or their average, and saves them if they are the best so far."""
    progress, average, accelerator = training.progress, training.average, training.accelerator
    with average.inside(training.detector) if average else nullcontext():
        if training.validation is None:
            progress.best_step, is_best = progress.step, True
        else:
            _share_network(training)
            if training.is_main:
                folder = training.folder / "samples" / f"step-{progress.step:08}"
                draw_detection_sheets(training.detector, training.validation, folder)
            progress.numbers = measure(
                training.detector,
                training.validation,
                batch_size=training.recipe.batch_size,
                rank=accelerator.process_index,
                processes=accelerator.num_processes,
            )
            training.tell(training.log.add({"step": progress.step, **progress.numbers}))
            is_best = progress.record(progress.numbers.get(training.recipe.best, 0.0))
        if is_best and training.is_main:
            save_best(training)


@torch.no_grad()
def _share_network(training: Training) -> None:
    """Gives every process the network of the first, whose weights are saved.

    The processes' batch norm statistics differ, as each has seen other images; validation has to
    measure a single network.
    """
    if training.accelerator.num_processes > 1:
        for tensor in chain(training.detector.parameters(), training.detector.buffers()):
            value = tensor.contiguous()
            distributed.broadcast(value, src=0)
            tensor.copy_(value)


def is_over(recipe: Recipe, progress: Progress, steps: int) -> bool:
    """Whether a run has done all its steps, or too many validations without a better number."""
    out_of_patience = recipe.patience is not None and progress.stale >= recipe.patience
    return progress.step >= steps or out_of_patience


def is_checkpoint_due(recipe: Recipe, step: int, seconds: float) -> bool:
    """Whether to write a checkpoint after a step, that many seconds after the last one."""
    if recipe.checkpoint_every is None:
        return seconds >= CHECKPOINT_SECONDS
    return step % recipe.checkpoint_every == 0


def _is_due(step: int, every: int | None, steps: int) -> bool:
    return step == steps or (every is not None and step % every == 0)


class Clock:
    """Seconds of steps, and of waiting for their images, since `speeds` was last called."""

    def __init__(self) -> None:
        self._start = self._ready = time.perf_counter()
        self._waited = self._spent = 0.0
        self._steps = 0

    def start_waiting(self) -> None:
        """Starts timing the wait for the next images."""
        self._start = time.perf_counter()

    def stop_waiting(self) -> None:
        """Stops timing the wait: the images are there."""
        self._ready = time.perf_counter()
        self._waited += self._ready - self._start

    def end_step(self) -> float:
        """Counts a step; returns its seconds, with the wait before it."""
        seconds = time.perf_counter() - self._start
        self._spent += seconds
        self._steps += 1
        return seconds

    def speeds(self, batch_size: int) -> dict[str, float]:
        """Images per second, and the share of the time that was spent waiting for them."""
        spent, waited, steps = max(self._spent, 1e-9), self._waited, self._steps
        self._waited = self._spent = 0.0
        self._steps = 0
        return {"images_per_second": steps * batch_size / spent, "waiting": waited / spent}
