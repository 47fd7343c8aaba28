"""The default recipe of each family, with rates that follow the batch size.

A card names one by its family, or by the `recipe` of its weights.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from zoo.errors import NameNotFound, UsageError
from zoo.registry.card import Card
from zoo.suggest import close_matches, join_or
from zoo.text import type_name
from zoo.train.recipe import Recipe
from zoo.train.recipe_file import AUTO, fields_of, merge, read_recipe, recipe_of

Given: TypeAlias = str | os.PathLike[str] | Recipe | Mapping[str, Any] | None

# A run has the larger number of steps of these two by default.
MIN_STEPS = 1500
MIN_EPOCHS = 12
VALIDATIONS = 20  # in a run by default
WARMUP_SHARE = 0.1  # of the steps, at most


@dataclass(frozen=True)
class Preset:
    """A default recipe.

    lr:     the highest learning rate for a batch of `images`.
    power:  of the batch size, with which the rate grows: 1 for sgd, 0.5 for adamw.
    fields: of the recipe; the others have the defaults of `Recipe`.
    """

    lr: float
    images: int
    power: float
    fields: Mapping[str, Any] = field(default_factory=dict)

    def rate(self, batch_size: int) -> float:
        """The highest learning rate for a batch size, in three digits."""
        return float(f"{self.lr * (batch_size / self.images) ** self.power:.3g}")


_SGD = {"name": "sgd", "momentum": 0.9}
_TWO_STAGES: dict[str, Any] = {
    "batch_size": 4,
    "optimizer": {**_SGD, "weight_decay": 1e-4},
    "schedule": {"kind": "step", "at": [0.75, 0.92], "warmup_steps": 500},
    "batch_norm": "fixed",
    "augment": [{"kind": "flip"}, {"kind": "zoom", "factors": [0.8, 1.5], "probability": 0.5}],
    "ema": {"decay": 0.998},
    "clip": 10.0,
}
PRESETS: dict[str, Preset] = {
    "general": Preset(
        lr=1e-3,
        images=16,
        power=0.5,
        fields={
            "optimizer": {"name": "adamw", "weight_decay": 0.05, "backbone_factor": 0.5},
            "augment": [
                {"kind": "flip"},
                {"kind": "zoom", "factors": [0.6, 1.6]},
                {"kind": "color"},
            ],
            "clip": 10.0,
        },
    ),
    "yolox": Preset(
        lr=0.01,
        images=64,
        power=1.0,
        fields={
            "optimizer": {**_SGD, "weight_decay": 5e-4},
            "augment": [
                {"kind": "mosaic", "probability": 0.5},
                {"kind": "flip"},
                {"kind": "zoom", "factors": [0.7, 1.5], "probability": 0.5},
                {"kind": "color"},
            ],
            "clip": 35.0,
            "multi_scale": {"factors": [0.75, 1.25]},
        },
    ),
    "two_stage": Preset(lr=0.02, images=16, power=1.0, fields=_TWO_STAGES),
    "dense": Preset(lr=0.01, images=16, power=1.0, fields=_TWO_STAGES),
    "ssd": Preset(
        lr=2e-3,
        images=32,
        power=1.0,
        fields={
            "optimizer": {**_SGD, "weight_decay": 5e-4},
            "augment": [
                {"kind": "flip"},
                {"kind": "zoom", "factors": [0.4, 2.0]},
                {"kind": "color"},
            ],
            "clip": 10.0,
        },
    ),
}
# The preset whose rate and decay an optimizer takes if the family's own preset has another one.
PRESET_OF_OPTIMIZER = {"adamw": "general", "sgd": "dense"}
FAMILIES = {
    "YOLOX": "yolox",
    "Faster R-CNN": "two_stage",
    "Mask R-CNN": "two_stage",
    "Keypoint R-CNN": "two_stage",
    "RetinaNet": "dense",
    "FCOS": "dense",
    "SSD": "ssd",
}


def preset_of(card: Card | None, tag: str | None = None) -> Preset:
    """The default of a card: the one that its weights' `recipe` names, else its family's, else
    `general`."""
    if card is None:
        return PRESETS["general"]
    weights = card.weights.get(tag) if tag else card.default_weights()
    recipe = weights.recipe if weights else None
    by_family = FAMILIES.get(card.family or "", "general")
    return PRESETS[recipe if recipe in PRESETS else by_family]


def named_preset(name: str) -> Preset:
    """The preset of that name. Raises: NameNotFound."""
    if name not in PRESETS:
        alike = close_matches(name, PRESETS) or list(PRESETS)
        raise NameNotFound(
            f"No recipe named '{name}'.",
            f"There are {', '.join(PRESETS)}; a file ends in .yaml.",
            f"Did you mean {join_or(alike)}?",
        )
    return PRESETS[name]


def base_recipe(preset: Preset, fields: Mapping[str, Any]) -> Recipe:
    """The recipe of the preset with `fields` over it, without what depends on the data.

    Raises: UsageError for invalid fields.
    """
    preset = _with_optimizer(preset, fields)
    return recipe_of(merge(preset.fields, _with_batch_size(preset, fields)))


def _with_optimizer(preset: Preset, fields: Mapping[str, Any]) -> Preset:
    """The preset with the rate, power and weight decay for another optimizer, if `fields` name
    one: a rate for one optimizer does not suit another."""
    optimizer, own = fields.get("optimizer"), preset.fields["optimizer"]
    name = optimizer.get("name") if isinstance(optimizer, Mapping) else None
    if not isinstance(name, str) or name not in PRESET_OF_OPTIMIZER or name == own["name"]:
        return preset
    other = PRESETS[PRESET_OF_OPTIMIZER[name]]
    decay = other.fields["optimizer"]["weight_decay"]
    return replace(
        preset,
        lr=other.lr * (preset.images / other.images) ** other.power,
        power=other.power,
        fields=merge(preset.fields, {"optimizer": {"name": name, "weight_decay": decay}}),
    )


def is_auto(fields: Mapping[str, Any]) -> bool:
    """Whether the batch size is `auto`: the preset's, in micro-batches that fit into memory."""
    return bool(fields.get("batch_size") == AUTO)


def _with_batch_size(preset: Preset, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields with the preset's batch size in place of `auto`. Raises: UsageError."""
    if not is_auto(fields):
        return dict(fields)
    if fields.get("accumulate", 1) != 1:
        raise UsageError(
            "The recipe can't be used.",
            f"It has batch_size: {AUTO} and accumulate: {fields['accumulate']}; {AUTO} finds that.",
            "Leave one of the two out.",
        )
    return {**fields, "batch_size": preset.images}


def given_fields(recipe: Given) -> tuple[dict[str, Any], Preset | None]:
    """The fields of a recipe, and the default that it names, if any. Raises: UsageError,
    NameNotFound."""
    if recipe is None:
        return {}, None
    if isinstance(recipe, Recipe):
        return fields_of(recipe), None
    if isinstance(recipe, Mapping):
        return merge({}, recipe), None
    if not isinstance(recipe, str | os.PathLike):
        raise UsageError(
            f"recipe={recipe!r:.80} can't be used.",
            f"That is {type_name(recipe)}, no recipe.",
            "Pass the path of a YAML file, a zoo.train.Recipe, or a mapping of its fields.",
        )
    if os.fspath(recipe).endswith((".yaml", ".yml")):
        return read_recipe(recipe), None
    return {}, named_preset(os.fspath(recipe))


def complete(preset: Preset, fields: Mapping[str, Any], *, images: int) -> Recipe:
    """The complete recipe: `fields` over the preset, for a data set of that many images.

    Raises: UsageError for invalid fields.
    """
    preset = _with_optimizer(preset, fields)
    fields = _with_batch_size(preset, fields)
    plan = base_recipe(preset, fields)
    filled: dict[str, Any] = dict(merge(preset.fields, fields))
    if not _has(fields, "optimizer", "lr"):
        filled = merge(filled, {"optimizer": {"lr": preset.rate(plan.batch_size)}})
    if plan.steps is None and plan.epochs is None:
        of_epochs = MIN_EPOCHS * images // plan.batch_size
        filled["steps"] = max(MIN_STEPS, of_epochs)
    plan = recipe_of(filled)
    steps = plan.total_steps(images)
    if not _has(fields, "schedule", "warmup_steps"):
        warmup = min(plan.schedule.warmup_steps, int(WARMUP_SHARE * steps))
        filled = merge(filled, {"schedule": {"warmup_steps": warmup}})
    if plan.validate_every is None:
        epoch = -(-images // plan.batch_size)
        filled["validate_every"] = min(max(epoch, steps // VALIDATIONS, 1), steps)
    return recipe_of(filled)


def _has(fields: Mapping[str, Any], *steps: str) -> bool:
    """Whether nested fields have a value at that path."""
    part: Any = fields
    for step in steps:
        if not isinstance(part, Mapping) or step not in part:
            return False
        part = part[step]
    return True
