"""Sets a run up: device and processes, images, detector, optimizer, checkpoint."""

from __future__ import annotations

import atexit
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from zoo.text import join_first, pluralize
from zoo.train.checkpoints import State, newest, restore_optimizer
from zoo.train.ema import Average
from zoo.train.logging import Log
from zoo.train.objective import Objective
from zoo.train.optimizer import freeze, optimizer_of, train_mode
from zoo.train.recipe import CopyPaste, Recipe
from zoo.train.run_folder import CHECKPOINTS
from zoo.train.samples import Samples, spans_of
from zoo.train.training import Progress, Training

if TYPE_CHECKING:  # an extra
    from accelerate import Accelerator

log = logging.getLogger("zoo")
MAX_NAMES_SHOWN = 5


def accelerator_of(recipe: Recipe, device: str | torch.device | None) -> Accelerator:
    """Accelerate's view of this process: its device, its rank, mixed precision.

    Raises: MissingExtra; UsageError for a device that does not exist or can't be trained on.
    """
    accelerate = optional("accelerate", wanted_for="Training", extra="train")
    from accelerate.state import AcceleratorState  # deferred: an extra

    begun = distributed.is_available() and distributed.is_initialized()
    # Accelerate keeps the settings of this process's last run, and refuses others.
    AcceleratorState._reset_state(reset_partial_state=not begun)
    requested = None if device is None else device_of(device)
    if requested is not None and requested.type == "cuda" and requested.index is not None:
        torch.cuda.set_device(requested)
    names = {"bfloat16": "bf16", "float16": "fp16", "float32": "no"}
    cpu = requested is not None and requested.type == "cpu"
    accelerator = accelerate.Accelerator(cpu=cpu, mixed_precision=names[recipe.precision])
    if not begun and distributed.is_available() and distributed.is_initialized():
        # The group is kept for the next run of these processes: another would use the same keys of
        # torchrun's store, where a process that is ahead finds what the first group left.
        atexit.register(_end_process_group)
    kind = accelerator.device.type
    if requested is not None and requested.type != kind:
        raise UsageError(
            f"'{requested}' can't be trained on.",
            f"Accelerate would take '{kind}' instead.",
            f'Name that, device="{kind}", or leave device out.',
            fix_cli=f"Name that, --device {kind}, or leave --device out.",
        )
    return accelerator


def _end_process_group() -> None:
    """Destroys the process group, unless the program has done so."""
    if distributed.is_initialized():
        distributed.destroy_process_group()


def check_batch(recipe: Recipe, processes: int) -> None:
    """Raises: UsageError if a batch has fewer images than micro-batches."""
    parts = processes * recipe.accumulate
    if recipe.batch_size >= parts:
        return
    factors = [pluralize(processes, "process", "processes")]
    factors += [f"accumulate: {recipe.accumulate}"] if recipe.accumulate > 1 else []
    raise UsageError(
        "The recipe can't be used.",
        f"batch_size: {recipe.batch_size} is the images of all processes and parts together, and "
        f"with {' and '.join(factors)} there are {parts} shares of it.",
        f"Give each an image or more: batch_size: {parts}, or a larger one.",
        fix_cli=f"Give each an image or more: --set batch_size={parts}, or a larger one.",
    )


def lookup_of(data: LabelSpace, model: LabelSpace) -> torch.Tensor:
    """The model's label of each class of the data, `(classes,)`; -1 for none, with a warning.

    Raises: LabelError if they have no class in common.
    """
    matches = match_labels(model, data)
    lookup = torch.full((len(data),), -1)
    for ours, theirs in matches.pairs:
        lookup[theirs] = ours
    if not matches.pairs:
        raise LabelError(
            "The data can't train this model.",
            f"They have no class in common: the data has {data.title}, the model {model.title}.",
            "Leave labels out to train for the classes of the data, or name some of those.",
        )
    if model.name == CUSTOM:  # they were named for this data; declared spaces have more classes
        _check_named(matches)
    if matches.data_only:
        names = join_first(matches.data_only, MAX_NAMES_SHOWN)
        log.warning("The boxes of %s are left out: the model has no such class.", names)
    return lookup


def _check_named(matches: LabelMatch) -> None:
    """Warns of named classes that the data does not have. Raises: LabelError for one that is
    probably a typing error, because it looks like a class of the data that was not named."""
    for name in matches.model_only:
        if alike := close_matches(name, matches.data_only, most=1):
            raise LabelError(
                f"The class '{name}' can't be learned.",
                f"No box of the data is a {name}, and its {alike[0]} was not named.",
                f"Did you mean '{alike[0]}'? Else leave '{name}' out.",
            )
    if matches.model_only:
        names = join_first(matches.model_only, MAX_NAMES_SHOWN)
        log.warning("The data has no class %s: nothing teaches it to the model.", names)


def training_of(
    recipe: Recipe,
    detector: Detector,
    train: Dataset,
    validation: Dataset | None,
    folder: Path,
    *,
    accelerator: Accelerator,
    tell: Callable[[dict[str, float]], None],
) -> Training:
    """The state of a run at its beginning, or at its last undamaged checkpoint."""
    samples = samples_of(recipe, detector, train)
    freeze(detector, recipe)
    _to_device(detector, recipe, accelerator)
    state = _restore_weights(detector, samples, folder, processes=accelerator.num_processes)
    average = None if recipe.ema is None else Average(detector, recipe.ema)
    plain = optimizer_of(detector, recipe)
    objective, optimizer = accelerator.prepare(
        Objective(detector, processes=accelerator.num_processes), plain
    )
    if state is not None:
        _restore(state, plain, average, accelerator.scaler)
    progress = state.progress if state else Progress()
    return Training(
        recipe=recipe,
        detector=detector,
        objective=objective,
        optimizer=optimizer,
        parameters=[parameter for parameter in detector.parameters() if parameter.requires_grad],
        accelerator=accelerator,
        samples=samples,
        validation=validation,
        average=average,
        progress=progress,
        log=Log(folder, step=progress.step, tensorboard=accelerator.is_main_process),
        folder=folder,
        tell=tell,
    )


def _restore_weights(
    detector: Detector, samples: Samples, folder: Path, *, processes: int
) -> State | None:
    """Loads the weights of the last checkpoint, and returns it; None if there is none."""
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
    """Raises: UsageError if the recipe pastes objects, and the data set has no masks."""
    pastes = any(isinstance(step, CopyPaste) for step in recipe.augment)
    if pastes and not (train.masks is not None and train.masks.exist(train.truth.ids).any()):
        raise UsageError(
            "The recipe can't be used.",
            f"augment: copypaste pastes objects by their masks, and {train.name} has none.",
            "Leave copypaste out, or name data with masks: COCO's segmentation has them.",
        )


def _to_device(detector: Detector, recipe: Recipe, accelerator: Accelerator) -> None:
    """Moves the detector to the device, in the layout and with the batch norm of the recipe."""
    if recipe.batch_norm == "sync" and accelerator.num_processes > 1:
        nn.SyncBatchNorm.convert_sync_batchnorm(detector)  # type: ignore[no-untyped-call]
    detector.to(accelerator.device)
    if recipe.channels_last:
        detector.to(memory_format=torch.channels_last)
    if recipe.compile:
        detector.compile()


@torch.no_grad()
def _settle(detector: Detector, samples: Samples) -> None:
    """Runs one batch in train mode, the same in every process, for layers that initialise
    themselves from the first batch."""
    [span, *_] = spans_of(0, samples.recipe)
    train_mode(detector, samples.recipe)
    torch.manual_seed(samples.recipe.seed)
    micro_batch = samples.micro_batch(span).to(detector.device)
    detector(micro_batch.batch, list(micro_batch.targets))
