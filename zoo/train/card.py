"""Writes the card of a trained model, so that its folder can be loaded like any other model."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from msgspec import structs

from zoo.detectors import Composed, Detector
from zoo.detectors.build import build, on_meta_device
from zoo.detectors.composed import card_of_composed
from zoo.errors import UsageError
from zoo.files import write_file
from zoo.labels.builtin import labels_of_card, warn_of_lost_ids
from zoo.registry import Choice, catalogue
from zoo.registry.card import SCHEMA, Card, FileSource, Licenses, Weights, as_written
from zoo.registry.folder import CARD, RECIPE
from zoo.registry.registry_file import USER, parse_registry_file
from zoo.registry.yaml_writer import dump
from zoo.train.recipe import Recipe
from zoo.train.run_folder import WEIGHTS
from zoo.weights.records import sha256_of

TAG = "trained"
log = logging.getLogger("zoo")
_UNNAMED = re.compile(r"[^a-z0-9_-]+")


def choice_of(detector: Detector) -> Choice | None:
    """The card that builds a detector; None for one that was built by hand, or changed since it was
    loaded."""
    choice = detector.choice
    if choice is None:
        return None
    with on_meta_device():
        built = build(catalogue(), choice, detector.label_space)
    same = _shapes(built) == _shapes(detector)
    return choice if same else None


def _shapes(detector: Detector) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in detector.state_dict().items()}


def warn_of_losses(detector: Detector, choice: Choice | None, recipe: Recipe) -> None:
    """Warns, before training, that the folder won't be a model because no card can build the
    detector, or of ids of classes that its card can't hold."""
    if card_of(detector, choice, recipe) is not None:
        warn_of_lost_ids(detector.label_space)
    else:
        log.warning(
            "No card can build this %s, so zoo.load will not load the folder of the run: put its "
            "%s into a detector made like this one, with load_state_dict.",
            *(type(detector).__name__, WEIGHTS),
        )


def card_of(detector: Detector, choice: Choice | None, recipe: Recipe) -> Card | None:
    """The card of a detector, without its weights; None for one that no card can build.

    choice: what it was loaded as; None for a detector that was built by hand.
    """
    labels = labels_of_card(detector.label_space)
    if choice is None:
        if not isinstance(detector, Composed):
            return None
        return card_of_composed(detector)
    old = choice.entry.card
    card = Card(
        architecture=old.architecture,
        labels=labels,
        arguments=old.arguments,
        family=old.family,
        paper=old.paper,
        input=old.input,
        requires=old.requires,
        licenses=Licenses(code=old.licenses.code),
        summary=f"{choice.entry.name}, trained on data of its own.",
    )
    return card if recipe.size is None else _with_input_size(card, list(recipe.size))


def _with_input_size(card: Card, size: list[int]) -> Card:
    """The card with another input size in all of its fields."""
    arguments = dict(card.arguments)
    if "size" in arguments and size[0] == size[1]:
        arguments["size"] = size[0]
    if isinstance(arguments.get("input"), Mapping):
        arguments["input"] = {**arguments["input"], "size": size}
    rule = None if card.input is None else structs.replace(card.input, size=size)
    return structs.replace(card, arguments=arguments, input=rule)


def check_size(detector: Detector, choice: Choice | None, recipe: Recipe) -> None:
    """Raises: UsageError if a card can't keep the recipe's size, so that it would be lost."""
    card = card_of(detector, choice, recipe)
    if recipe.size is None or choice is None or card is None:
        return
    entry = replace(choice.entry, card=card)
    with on_meta_device():
        built = build(catalogue(), Choice(entry, None, None), detector.label_space)
    if tuple(built.preprocess.size) != tuple(recipe.size):
        raise UsageError(
            "The recipe can't be used.",
            f"size: {list(recipe.size)} can't be kept: this model's architecture is built for "
            f"{list(built.preprocess.size)}.",
            "Leave size out, or make it square.",
        )


def write_card(folder: Path, card: Card, *, choice: Choice | None, name: str, note: str) -> str:
    """Writes the card with the weights of the folder; returns the model's name."""
    path = folder / WEIGHTS
    old = choice.weights if choice else None
    files: dict[str, Any] = dict(old.files) if old else {}
    files["model"] = [FileSource(path=WEIGHTS, sha256=sha256_of(path))]
    weights = Weights(
        files=files,
        megabytes=round(path.stat().st_size / 1e6, 1),
        post_load=old.post_load if old else {},
        recipe=RECIPE,
        note=note,
    )
    own_name = model_name(name)
    card_with_weights = structs.replace(card, weights={TAG: weights}, default=TAG)
    text = card_text(card_with_weights, own_name)
    parse_registry_file(text.encode(), folder / CARD, owner=USER)
    write_file(folder / CARD, text)
    return own_name


def card_text(card: Card, name: str) -> str:
    """A registry file with one card, as text, without fields that are not set."""
    return dump({"schema": SCHEMA, "cards": {name: as_written(card)}})


def model_name(name: str) -> str:
    """A text as the name of a model: lower case, other characters replaced."""
    return _UNNAMED.sub("_", name.lower()).strip("_-") or "model"
