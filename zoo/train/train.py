"""`zoo.train`: trains a model on a data set, into a folder with weights, card and report."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from zoo.registry.folder import RECIPE, resume_command
from zoo.text import pluralize
from zoo.train.backbone import take_backbone
from zoo.train.card import check_size, choice_of, warn_of_losses
from zoo.train.checkpoints import save_checkpoint
from zoo.train.data import TrainingSets, images_of
from zoo.train.defaults import (
    Given,
    base_recipe,
    complete,
    given_fields,
    is_auto,
    preset_of,
)
from zoo.train.finish import finish
from zoo.train.fitting import fit_batch
from zoo.train.live import Live, Say
from zoo.train.loop import is_over, run
from zoo.train.overfit import MIN_RUN_STEPS, check_one_batch
from zoo.train.recipe import Recipe
from zoo.train.recipe_file import fields_of, merge, read_recipe, recipe_of
from zoo.train.result import Result
from zoo.train.run_folder import (
    check_begun,
    check_unused,
    default_folder,
    enter,
    folder_to_resume,
    has_checkpoints,
    lock,
)
from zoo.train.setup import accelerator_of, check_batch, samples_of, training_of
from zoo.train.validation import check_best, check_classes
from zoo.weights.resolve import choose

if TYPE_CHECKING:  # an extra
    from accelerate import Accelerator

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
    """Trains a detector, and writes the best weights, their card and report into a folder.

    model:      a name as for `zoo.load`, or a detector, which is trained as it is; None is the
                recipe's. With `resume`, also the folder of a run, which has all that it needs.
    data:       as for `zoo.data.read`; if it has a split `train`, that is trained on.
    validation: the images to measure; None is the split `val`, or else the recipe's
                `validation_share` of the data.
    recipe:     a `Recipe`, the path of a YAML file, the name of a default, or fields as a mapping;
                the fields that it leaves out are the default of the model's family.
    labels:     classes to learn; None is those of the data.
    weights:    to begin with, as for `zoo.load`.
    to:         the folder of the run; None is `runs/MODEL-DATA`.
    resume:     whether to continue the run in that folder, bit for bit, or begin one that saved
                nothing; a job that restarts says `folder.exists()`.
    device:     "cpu", or a GPU; None is a GPU if there is one.
    progress:   a bar; None shows one on a terminal.
    say:        called with a line of text after each validation.

    Raises:
        UsageError: an argument or field can't be used, or there is no run to resume.
        DataError, LabelError: the data can't be read, or has nothing that the model can learn.
        TrainError: a loss is not finite, memory ran out, or a single batch can't be learned.
        MissingExtra: Accelerate, matplotlib or pyarrow is not installed.
    """
    model, recipe, to = _resumed(model, recipe, to) if resume else (model, recipe, to)
    plan = make_plan(model, data, validation, recipe, labels, weights, to)
    accelerator = accelerator_of(plan.recipe, device)
    check_plan(plan, accelerator, resume=resume)
    say = say if accelerator.is_main_process else None
    with lock(plan.folder) if accelerator.is_main_process else nullcontext():
        plan, detector = begin_run(plan, accelerator, say, resume=resume)
        try:
            return _train(plan, detector, accelerator, progress, say)
        except KeyboardInterrupt as error:
            error.add_note(_advice(plan))
            raise


def _resumed(
    model: str | Detector | None, recipe: Given, to: str | os.PathLike[str] | None
) -> tuple[str | Detector | None, Given, str | os.PathLike[str] | None]:
    """Model, recipe and folder to resume: where `model` is a run's folder, all are of that run."""
    folder = folder_to_resume(model, to)
    if folder is None:
        return model, recipe, to
    fields, _ = given_fields(recipe)
    return None, merge(read_recipe(folder / RECIPE), fields), folder


def _advice(plan: Plan) -> str:
    """The note of an interrupt: how to continue the run."""
    begun = f"{plan.folder} has the last checkpoint."
    if plan.recipe.model is None or plan.recipe.data is None:  # objects of a program
        return f"{begun} resume=True continues from there."
    return f"{begun} Continue: {resume_command(plan.folder)}"


@dataclass(frozen=True)
class Plan:
    """A run before its model is loaded.

    choice: the model's card and weights; None for a detector that no card can build.
    detector: the one that was passed; None for a model that is named.
    labels: classes to learn.
    auto_batch: whether the micro-batches shall be as large as memory allows.
    """

    recipe: Recipe
    choice: Choice | None
    detector: Detector | None
    data: TrainingSets
    labels: LabelSpace | Sequence[str] | str
    folder: Path
    auto_batch: bool


def make_plan(
    model: str | Detector | None,
    data: str | os.PathLike[str] | Dataset | None,
    validation: str | os.PathLike[str] | Dataset | None,
    recipe: Given,
    labels: Sequence[str] | str | LabelSpace | None,
    weights: bool | str | os.PathLike[str] | None,
    to: str | os.PathLike[str] | None,
) -> Plan:
    """The plan of the arguments of `train`. Raises: as `train`."""
    for package in ("accelerate", "pyarrow"):
        optional(package, wanted_for="Training", extra="train")
    fields, preset = given_fields(recipe)
    arguments: dict[str, object] = {"model": model, "data": data, "validation": validation}
    arguments |= {"labels": labels, "weights": RANDOM if weights is False else weights, "to": to}
    fields |= {name: field for name, value in arguments.items() if (field := _field(value))}

    detector = model if isinstance(model, Detector) else None
    choice = _choice(fields) if detector is None else choice_of(detector)
    preset = preset or preset_of(choice.entry.card if choice else None)
    images = images_of(
        _source(data, fields),
        validation if validation is not None else fields.get("validation"),
        base_recipe(preset, fields).validation_share,
    )
    complete_recipe = complete(preset, fields, images=len(images.train))
    model_name = choice.entry.name if choice else type(detector).__name__
    if choice is None and detector is not None and detector.name:
        model_name = detector.name
    folder = complete_recipe.to or default_folder(model_name, images.train.name)
    return Plan(
        recipe=complete_recipe,
        choice=choice,
        detector=detector,
        data=images,
        labels=labels or complete_recipe.labels or images.train.label_space.names,
        folder=expand_home(Path(folder)),
        auto_batch=is_auto(fields),
    )


def check_plan(plan: Plan, accelerator: Accelerator, *, resume: bool = False) -> None:
    """Raises: UsageError, LabelError if the run could not validate, a batch has too few images
    for its processes, or there is no run to resume."""
    if resume and accelerator.is_main_process:
        check_begun(plan.folder)
    check_batch(plan.recipe, accelerator.num_processes)
    if plan.data.validation is not None:
        check_best(plan.recipe.best, plan.data.validation)
        labels = space_of(plan.labels) if plan.detector is None else plan.detector.label_space
        check_classes(labels, plan.data.validation)


def begin_run(
    plan: Plan, accelerator: Accelerator, say: Say | None, *, resume: bool
) -> tuple[Plan, Detector]:
    """Builds the detector, and begins or resumes the run in its folder, which is locked."""
    main = accelerator.is_main_process
    if main:
        check_unused(plan.folder, resume=resume)
    detector = build_detector(plan)
    if plan.auto_batch:
        plan = fit_plan(plan, detector, accelerator, say, resume=resume)
    if main:
        enter(plan.folder, plan.recipe, plan.data.facts(), resume=resume)
    return plan, detector


def build_detector(plan: Plan) -> Detector:
    """Builds the detector to train; its new weights depend on the recipe's seed."""
    detector = plan.detector
    if detector is None:
        torch.manual_seed(plan.recipe.seed)
        labels = plan.labels if isinstance(plan.labels, str | LabelSpace) else list(plan.labels)
        weights = _weights(fields_of(plan.recipe))
        detector = load_to_train(str(plan.recipe.model), weights=weights, labels=labels)
    if plan.recipe.backbone is not None:
        take_backbone(detector, plan.recipe.backbone)
    return detector


def fit_plan(
    plan: Plan, detector: Detector, accelerator: Accelerator, say: Say | None, *, resume: bool
) -> Plan:
    """The plan with micro-batches that fit into memory; a resumed run keeps its own.

    Raises: UsageError if a batch has too few images for them.
    """
    before = plan.folder / RECIPE
    if resume and before.exists():
        accumulate = recipe_of(read_recipe(before)).accumulate
        recipe = structs.replace(plan.recipe, accumulate=accumulate)
    else:
        samples = samples_of(plan.recipe, detector, plan.data.train)
        recipe, images = fit_batch(plan.recipe, detector, samples, accelerator)
        if say:
            say(f"batch_size is {recipe.batch_size}; {pluralize(images, 'image')} fit at once.")
    check_batch(recipe, accelerator.num_processes)
    return replace(plan, recipe=recipe)


def _train(
    plan: Plan,
    detector: Detector,
    accelerator: Accelerator,
    progress: bool | None,
    say: Say | None,
) -> Result:
    recipe, data, folder = plan.recipe, plan.data, plan.folder
    main = accelerator.is_main_process
    steps = recipe.total_steps(len(data.train))
    check_size(detector, plan.choice, recipe)
    if main:
        warn_of_losses(detector, plan.choice, recipe)
    if main and recipe.overfit_check and steps >= MIN_RUN_STEPS and not has_checkpoints(folder):
        detector.to(accelerator.device)
        check_one_batch(detector, samples_of(recipe, detector, data.train), folder)
    accelerator.wait_for_everyone()
    title, shown = f"Training {folder.name}", progress if main else False
    with Bar(title, total=steps, show=shown, in_line=True) as bar:
        live = Live(bar, best=recipe.best, steps=steps, say=say)
        training = training_of(
            recipe,
            detector,
            data.train,
            data.validation,
            folder,
            accelerator=accelerator,
            tell=live.tell,
        )
        live.begin(training.progress.step)
        if training.progress.step == 0 and main:
            save_checkpoint(training)
        if not is_over(recipe, training.progress, steps):
            run(training)
        training.log.close()
        accelerator.wait_for_everyone()
        return finish(training, choice=plan.choice, data=data)


def _field(argument: object) -> str | list[str] | None:
    """An argument as a field of the recipe; None if a recipe's file can't contain it."""
    if isinstance(argument, str):
        return argument
    if isinstance(argument, os.PathLike):
        return os.fsdecode(argument)
    if isinstance(argument, Detector):
        return argument.name
    if isinstance(argument, Sequence):
        return list(argument)
    return list(argument.names) if isinstance(argument, LabelSpace) else None


def _choice(fields: Mapping[str, Any]) -> Choice:
    """The card and weights of the recipe's model. Raises: UsageError, NameNotFound."""
    name = fields.get("model")
    if not name:
        raise UsageError(
            "Nothing can be trained.",
            "No model is named.",
            'Name one: zoo.train("yolox_nano", data=…)',
            fix_cli="Name one: zoo train yolox_nano --data coco:PATH",
        )
    return choose(catalogue(), str(name), _weights(fields))


def _weights(fields: Mapping[str, Any]) -> bool | str:
    """The weights of a recipe, as `zoo.load` takes them."""
    weights = fields.get("weights")
    return weights != RANDOM if weights in (None, RANDOM) else str(weights)


def _source(
    data: str | os.PathLike[str] | Dataset | None, fields: Mapping[str, Any]
) -> str | os.PathLike[str] | Dataset:
    """The data set to train on. Raises: UsageError if none is named."""
    source: str | os.PathLike[str] | Dataset | None = data
    if source is None:
        source = fields.get("data")
    if source is None:
        raise UsageError(
            "Nothing can be trained.",
            "No data set is named.",
            'Name one: data="coco:PATH"',
            fix_cli="Name one: --data coco:PATH",
        )
    return source
