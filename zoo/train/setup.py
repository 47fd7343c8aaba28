"""Puts a run together: device and processes, detector, optimizer, checkpoint, callbacks."""

from __future__ import annotations

import atexit
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import distributed, nn

from zoo.data import Dataset
from zoo.detectors import Detector
from zoo.detectors.load import device_of
from zoo.errors import LabelError, UsageError
from zoo.extras import optional
from zoo.labels import LabelMatch, LabelSpace, match_labels
from zoo.labels.space import CUSTOM
from zoo.suggest import close_matches
from zoo.text import listed, pluralize
from zoo.train.checkpoints import Progress, State, newest, optimizer_state, restore_optimizer, save
from zoo.train.ema import Average
from zoo.train.logging import Log
from zoo.train.loop import Training
from zoo.train.objective import Objective
from zoo.train.optimizer import freeze, optimizer_of, train_mode
from zoo.train.recipe import CopyPaste, Recipe
from zoo.train.run_folder import CHECKPOINTS, WEIGHTS, write_weights
from zoo.train.samples import Samples, parts_of
from zoo.train.sheets import detection_sheets
from zoo.train.validation import measure

log = logging.getLogger("zoo")
SHOWN = 5  # class names in a message


def accelerator_of(recipe: Recipe, device: str | torch.device | None) -> Any:
    """Accelerate's view of this process: its device, its rank, mixed precision.

    Raises: MissingExtra; UsageError for a device that is not there, or not one to train on.
    """
    accelerate = optional("accelerate", wanted_for="Training", extra="train")
    from accelerate.state import AcceleratorState  # deferred: an extra

    begun = distributed.is_available() and distributed.is_initialized()
    # It keeps the settings of the last run of this process, and refuses others.
    AcceleratorState._reset_state(reset_partial_state=not begun)
    where = None if device is None else device_of(device)
    if where is not None and where.type == "cuda" and where.index is not None:
        torch.cuda.set_device(where)
    short = {"bfloat16": "bf16", "float16": "fp16", "float32": "no"}
    cpu = where is not None and where.type == "cpu"
    accelerator = accelerate.Accelerator(cpu=cpu, mixed_precision=short[recipe.precision])
    if not begun and distributed.is_available() and distributed.is_initialized():
        # Kept for the next run of these processes: another group would meet at the same keys of
        # torchrun's store, where a process that is ahead finds what the first group left.
        atexit.register(_end_process_group)
    kind = accelerator.device.type
    if where is not None and where.type != kind:
        raise UsageError(
            f"'{where}' can't be trained on.",
            f"Accelerate would take '{kind}' instead.",
            f'Name that, device="{kind}", or leave device out.',
            fix_cli=f"Name that, --device {kind}, or leave --device out.",
        )
    return accelerator


def _end_process_group() -> None:
    """Lets go of the group of processes, unless the program has done so."""
    if distributed.is_initialized():
        distributed.destroy_process_group()


def check_batch(recipe: Recipe, processes: int) -> None:
    """Raises: UsageError if a batch has fewer images than parts, one of which would be empty."""
    parts = processes * recipe.accumulate
    if recipe.batch_size >= parts:
        return
    made = [pluralize(processes, "process", "processes")]
    made += [f"accumulate: {recipe.accumulate}"] if recipe.accumulate > 1 else []
    raise UsageError(
        "The recipe can't be used.",
        f"batch_size: {recipe.batch_size} is the images of all processes and parts together, and "
        f"with {' and '.join(made)} there are {parts} shares of it.",
        f"Give each an image or more: batch_size: {parts}, or a larger one.",
        fix_cli=f"Give each an image or more: --set batch_size={parts}, or a larger one.",
    )


def lookup_of(data: LabelSpace, model: LabelSpace) -> torch.Tensor:
    """The model's label of each class of the data, -1 for none, which is warned of.

    Raises: LabelError if they have no class in common.
    """
    met = match_labels(model, data)
    lookup = torch.full((len(data),), -1)
    for ours, theirs in met.pairs:
        lookup[theirs] = ours
    if not met.pairs:
        raise LabelError(
            "The data can't train this model.",
            f"They have no class in common: the data has {data.title}, the model {model.title}.",
            "Leave labels out to train for the classes of the data, or name some of those.",
        )
    if model.name == CUSTOM:  # they were named for this data; declared spaces have more classes
        _check_named(met)
    if met.data_only:
        names = listed(met.data_only, SHOWN)
        log.warning("The boxes of %s are left out: the model has no such class.", names)
    return lookup


def _check_named(met: LabelMatch) -> None:
    """Warns of named classes that the data does not have. Raises: LabelError for one that looks
    like a class of the data which was not named: a typing error would be trained without a word."""
    for name in met.model_only:
        if alike := close_matches(name, met.data_only, most=1):
            raise LabelError(
                f"The class '{name}' can't be learned.",
                f"No box of the data is a {name}, and its {alike[0]} was not named.",
                f"Did you mean '{alike[0]}'? Else leave '{name}' out.",
            )
    if met.model_only:
        names = listed(met.model_only, SHOWN)
        log.warning("The data has no class %s: nothing teaches it to the model.", names)


def training_of(
    recipe: Recipe,
    detector: Detector,
    train: Dataset,
    validation: Dataset | None,
    folder: Path,
    *,
    accelerator: Any,
    tell: Callable[[dict[str, float]], None],
) -> Training:
    """A run at its beginning, or at its last whole checkpoint."""
    main = accelerator.is_main_process
    samples = samples_of(recipe, detector, train)
    freeze(detector, recipe)
    detector = _on_device(detector, recipe, accelerator)
    state = _resumed(detector, samples, folder, processes=accelerator.num_processes)
    average = None if recipe.ema is None else Average(detector, recipe.ema)
    plain = optimizer_of(detector, recipe)
    objective, optimizer = accelerator.prepare(
        Objective(detector, processes=accelerator.num_processes), plain
    )
    if state is not None:
        _restore(state, plain, average, accelerator.scaler)
    progress = state.progress if state else Progress()
    shown = folder / "samples" if main else None
    run = Training(
        recipe=recipe,
        detector=detector,
        objective=objective,
        optimizer=optimizer,
        parameters=[parameter for parameter in detector.parameters() if parameter.requires_grad],
        accelerator=accelerator,
        samples=samples,
        average=average,
        progress=progress,
        log=Log(folder, step=progress.step, tensorboard=main),
        folder=folder,
        validate=_measured(recipe, detector, validation, accelerator, shown, progress),
        keep=_nothing,
        better=_nothing,
        tell=tell,
    )
    return replace(run, keep=_Keeper(run), better=_Better(run)) if main else run


def _resumed(detector: Detector, samples: Samples, folder: Path, *, processes: int) -> State | None:
    """The last whole checkpoint, its weights in the detector; None at the beginning."""
    state = newest(folder / CHECKPOINTS)
    if state is not None:
        detector.load_state_dict(dict(state.model))
    elif processes > 1:
        _settle(detector, samples)
    return state


def _restore(
    state: State, optimizer: torch.optim.Optimizer, average: Average | None, scaler: Any
) -> None:
    restore_optimizer(optimizer, state.optimizer)
    if average is not None:
        for name, value in state.average.items():
            average.tensors[name].copy_(value)
    if scaler is not None:
        scaler.load_state_dict(dict(state.scaler))


def samples_of(recipe: Recipe, detector: Detector, train: Dataset) -> Samples:
    """The augmented images of a run."""
    preprocess = detector.preprocess
    _check_masks(recipe, train)
    if recipe.size is not None:
        height, width = recipe.size
        preprocess = detector.preprocess = preprocess.at((height, width))
    lookup = lookup_of(train.label_space, detector.label_space)
    steps = recipe.total_steps(len(train))
    return Samples(train, lookup, preprocess, recipe, steps)


def _check_masks(recipe: Recipe, train: Dataset) -> None:
    """Raises: UsageError if the recipe pastes objects, and the data set knows no mask of any."""
    pastes = any(isinstance(step, CopyPaste) for step in recipe.augment)
    if pastes and not (train.masks is not None and train.masks.exist(train.truth.ids).any()):
        raise UsageError(
            "The recipe can't be used.",
            f"augment: copypaste pastes objects by their masks, and {train.name} has none.",
            "Leave copypaste out, or name data with masks: COCO's segmentation has them.",
        )


def _on_device(detector: Detector, recipe: Recipe, accelerator: Any) -> Detector:
    if recipe.batch_norm == "sync" and accelerator.num_processes > 1:
        nn.SyncBatchNorm.convert_sync_batchnorm(detector)  # type: ignore[no-untyped-call]
    detector.to(accelerator.device)
    if recipe.channels_last:
        detector.to(memory_format=torch.channels_last)
    if recipe.compile:
        detector.compile()
    return detector


@torch.no_grad()
def _settle(detector: Detector, samples: Samples) -> None:
    """One batch in train mode, the same in every process, for layers that take their statistics
    from the first."""
    [part, *_] = parts_of(0, samples.recipe)
    train_mode(detector, samples.recipe)
    torch.manual_seed(samples.recipe.seed)
    share = samples.share(part).to(detector.device)
    detector(share.batch, list(share.targets))


def _measured(
    recipe: Recipe,
    detector: Detector,
    validation: Dataset | None,
    accelerator: Any,
    samples: Path | None,
    progress: Progress,
) -> Callable[[], dict[str, float]] | None:
    """Numbers of the detector as it is; samples: where images with what it sees go, if
    anywhere."""
    if validation is None:
        return None

    def numbers() -> dict[str, float]:
        if samples is not None:
            detection_sheets(detector, validation, samples / f"step-{progress.step:08}")
        return measure(
            detector,
            validation,
            batch_size=recipe.batch_size,
            rank=accelerator.process_index,
            processes=accelerator.num_processes,
        )

    return numbers


def _nothing() -> None:
    """Of processes that write nothing."""


@dataclass(frozen=True)
class _Keeper:
    """Writes the log, and then a checkpoint."""

    run: Training

    def __call__(self) -> None:
        run = self.run
        try:
            run.log.write()
        except OSError as error:
            log.warning("%s can't be written: %s.", run.log.path, error.strerror or error)
        scaler = run.accelerator.scaler
        state = State(
            run.progress,
            run.detector.state_dict(),
            run.average.tensors if run.average else {},
            optimizer_state(run.optimizer),
            scaler.state_dict() if scaler is not None else {},
        )
        save(run.folder / CHECKPOINTS, state)


@dataclass(frozen=True)
class _Better:
    """Writes the weights that are the best so far."""

    run: Training

    def __call__(self) -> None:
        write_weights(self.run.folder / WEIGHTS, self.run.detector.state_dict())
