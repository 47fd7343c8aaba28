"""`zoo.train`: from a model and a data set to a folder with what was learned."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from msgspec import structs

from zoo.data import Dataset
from zoo.detectors import Detector
from zoo.detectors.load import load_to_train
from zoo.environment import expand_home
from zoo.errors import UsageError
from zoo.extras import optional
from zoo.labels import LabelSpace
from zoo.labels.builtin import space_of
from zoo.progress import Bar
from zoo.registry import Choice, catalogue
from zoo.text import pluralize
from zoo.train.backbone import take_backbone
from zoo.train.card import check_size, choice_of, warn_of_losses
from zoo.train.data import Data, images_of
from zoo.train.defaults import (
    Given,
    Preset,
    complete,
    given_fields,
    is_auto,
    preset_of,
    whole,
)
from zoo.train.finish import finished
from zoo.train.fitting import fitted
from zoo.train.live import Live, Say
from zoo.train.loop import is_over, run
from zoo.train.overfit import LONG, check_one_batch
from zoo.train.recipe import Recipe
from zoo.train.recipe_file import fields_of, read_recipe, recipe_of
from zoo.train.result import Result
from zoo.train.run_folder import RECIPE, default_folder, enter, has_checkpoints, lock
from zoo.train.setup import accelerator_of, check_batch, samples_of, training_of
from zoo.train.validation import check_best, check_classes
from zoo.weights.resolve import choose

RANDOM = "random"


def train(  # noqa: PLR0913 - everything that can be said of a run in one place
    model: str | Detector | None = None,
    *,
    data: str | os.PathLike[str] | Dataset | None = None,
    validation: str | os.PathLike[str] | Dataset | None = None,
    recipe: Given = None,
    labels: Sequence[str] | str | LabelSpace | None = None,
    weights: bool | str | os.PathLike[str] | None = None,
    to: str | os.PathLike[str] | None = None,
    resume: bool = False,
    device: torch.device | str | None = None,
    progress: bool | None = None,
    say: Say | None = None,
) -> Result:
    """Trains a detector, and keeps the best of it in a folder.

    model:      a name, as `zoo.load` takes it, or a detector, which is trained as it is; else the
                recipe's.
    data:       as `zoo.data.read` takes it; its split `train` is trained on, if there is one.
    validation: what is measured; else the split `val`, or the recipe's `validation_share` of data.
    recipe:     a `Recipe`, the path of a YAML file, the name of a default, or fields as a mapping;
                what it leaves out is the default of the model's family.
    labels:     classes to learn; those of the data, unless given.
    weights:    where to begin: as `zoo.load` takes them.
    to:         the folder of the run; else `runs/MODEL-DATA`.
    resume:     go on with the run in that folder, bit for bit; begin it if there is none.
    device:     "cpu", or a GPU; else what Accelerate finds. progress: a bar; None is on a terminal.
    say:        is called with a line after each validation.

    Raises:
        UsageError: an argument or a field of the recipe can't be used; it is named.
        DataError, LabelError: the data can't be read, or has nothing that the model can learn.
        TrainError: a loss is not finite, memory ran out, or one batch can't be learned.
        MissingExtra: Accelerate, matplotlib or pyarrow is not installed.
    """
    fields, preset = given_fields(recipe)
    arguments: dict[str, object] = {"model": model, "data": data, "validation": validation}
    arguments |= {"labels": labels, "weights": RANDOM if weights is False else weights, "to": to}
    fields |= {name: text for name, value in arguments.items() if (text := _text(value))}
    plan = _Plan.of(model, data, validation, labels, fields, preset)
    accelerator = accelerator_of(plan.recipe, device)
    with ExitStack() as stack:
        plan = plan.entered(stack, accelerator, say, resume=resume)
        try:
            return _run(plan, accelerator, progress, say)
        except KeyboardInterrupt as error:
            error.add_note(f"{plan.folder} is kept to its last checkpoint; --resume goes on there.")
            raise


@dataclass(frozen=True)
class _Plan:
    """A run before anything heavy is loaded."""

    recipe: Recipe
    choice: Choice | None
    given: Detector | None
    data: Data
    labels: LabelSpace | Sequence[str] | str
    folder: Path
    auto: bool = False

    @classmethod
    def of(
        cls,
        model: str | Detector | None,
        data: object,
        validation: object,
        labels: Any,
        fields: dict[str, Any],
        preset: Preset | None,
    ) -> _Plan:
        for package in ("accelerate", "pyarrow"):
            optional(package, wanted_for="Training", extra="train")
        detector = model if isinstance(model, Detector) else None
        name = detector.name if detector is not None else fields.get("model")
        if detector is None and not name:
            raise UsageError(
                "Nothing can be trained.",
                "No model is named.",
                'Name one: zoo.train("yolox_nano", data=…)',
                fix_cli="Name one: zoo train yolox_nano --data coco:PATH",
            )
        choice = None if detector is None else choice_of(detector)
        if detector is None:
            choice = choose(catalogue(), str(name), _weights(fields))
        known = preset or preset_of(choice.entry.card if choice else None)
        share = whole(known, fields).validation_share
        measured = validation if validation is not None else fields.get("validation")
        images = images_of(_source(data, fields), measured, share)
        recipe = complete(known, fields, images=len(images.train))
        if images.validation is not None:
            check_best(recipe.best, images.validation)
        meant = labels or recipe.labels or images.train.label_space.names
        short = choice.entry.name if choice else name or type(detector).__name__
        folder = Path(recipe.to) if recipe.to else default_folder(str(short), images.train.name)
        folder = expand_home(folder)
        return cls(recipe, choice, detector, images, meant, folder, is_auto(fields))

    def entered(
        self, stack: ExitStack, accelerator: Any, say: Say | None, *, resume: bool
    ) -> _Plan:
        """The plan as it is carried out, in a folder that is held until the stack is closed."""
        check_batch(self.recipe, accelerator.num_processes)
        if self.data.validation is not None:
            check_classes(self.learned(), self.data.validation)
        if accelerator.is_main_process:
            stack.enter_context(lock(self.folder))
        plan = self.fitted(accelerator, say, resume=resume)
        check_batch(plan.recipe, accelerator.num_processes)  # a run that goes on has its own parts
        if accelerator.is_main_process:
            enter(plan.folder, plan.recipe, plan.data.facts(), resume=resume)
        return plan

    def learned(self) -> LabelSpace:
        """The classes of the detector, before there is one."""
        return space_of(self.labels) if self.given is None else self.given.label_space

    def fitted(self, accelerator: Any, say: Say | None, *, resume: bool) -> _Plan:
        """The plan with a batch in parts that fit, where that is to be found; a run that goes on
        keeps its own."""
        if not self.auto:
            return self
        before = self.folder / RECIPE
        if resume and before.exists():
            parts = recipe_of(read_recipe(before)).accumulate
            return replace(self, recipe=structs.replace(self.recipe, accumulate=parts))
        detector = self.detector()
        samples = samples_of(self.recipe, detector, self.data.train)
        recipe, images = fitted(self.recipe, detector, samples, accelerator)
        if say and accelerator.is_main_process:
            say(f"batch_size is {recipe.batch_size}; {pluralize(images, 'image')} fit at once.")
        return replace(self, recipe=recipe, given=detector)

    def detector(self) -> Detector:
        """The detector to train, its new weights from the seed."""
        detector = self.loaded() if self.given is None else self.given
        if self.recipe.backbone is not None:
            take_backbone(detector, self.recipe.backbone)
        return detector

    def loaded(self) -> Detector:
        """The model that the recipe names."""
        torch.manual_seed(self.recipe.seed)
        weights = _weights(fields_of(self.recipe))
        labels = self.labels if isinstance(self.labels, str | LabelSpace) else list(self.labels)
        return load_to_train(str(self.recipe.model), weights=weights, labels=labels)


def _run(plan: _Plan, accelerator: Any, progress: bool | None, say: Say | None) -> Result:
    recipe, detector = plan.recipe, plan.detector()
    check_size(detector, plan.choice, recipe)
    steps = recipe.total_steps(len(plan.data.train))
    main = accelerator.is_main_process
    if main:
        warn_of_losses(detector, plan.choice, recipe)
    fresh = not has_checkpoints(plan.folder)
    if fresh and main and recipe.overfit_check and steps >= LONG:
        detector.to(accelerator.device)
        check_one_batch(detector, samples_of(recipe, detector, plan.data.train), plan.folder)
    accelerator.wait_for_everyone()
    bar = Bar(f"Training {plan.folder.name}", total=steps, show=progress if main else False)
    with bar:
        live = Live(bar, best=recipe.best, steps=steps, say=say if main else None)
        training = training_of(
            recipe,
            detector,
            plan.data.train,
            plan.data.validation,
            plan.folder,
            accelerator=accelerator,
            tell=live.tell,
        )
        live.begin(training.progress.step)
        if training.progress.step == 0:
            training.keep()
        if not is_over(recipe, training.progress, steps):
            run(training)
        training.log.close()
        accelerator.wait_for_everyone()
        return finished(training, choice=plan.choice, data=plan.data)


def _text(value: object) -> Any:
    """An argument as a recipe has it; None if that can't be written down."""
    if isinstance(value, str):
        return value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Detector):
        return value.name
    if isinstance(value, Sequence):
        return list(value)
    return list(value.names) if isinstance(value, LabelSpace) else None


def _weights(fields: Mapping[str, Any]) -> bool | str:
    named = fields.get("weights")
    return named != RANDOM if named in (None, RANDOM) else str(named)


def _source(data: Any, fields: Mapping[str, Any]) -> Any:
    """The data set that is named. Raises: UsageError."""
    source = data if data is not None else fields.get("data")
    if source is None:
        raise UsageError(
            "Nothing can be trained.",
            "No data set is named.",
            'Name one: data="coco:PATH"',
            fix_cli="Name one: --data coco:PATH",
        )
    return source
