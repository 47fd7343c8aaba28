"""Resolves a model name and weights argument to a verified file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from zoo.errors import NameNotFound, WeightsError
from zoo.registry import Catalogue, Choice
from zoo.registry.card import Weights
from zoo.weights.fetch import fetch, locate
from zoo.weights.types import WeightsFile, WeightsRequest

EXPLICIT = ("file:", "hub:", "https://", "http://")
RANDOM = "random"  # what the command line calls weights=False
FILES = (".safetensors", ".pth", ".pt", ".bin", ".ckpt")


@dataclass(frozen=True)
class Found:
    """A verified file, and what the card says of it, if it is the card's."""

    file: WeightsFile
    weights: Weights | None


def wanted(choice: Choice) -> WeightsRequest:
    """The weights that a resolved name stands for.

    Raises:
        WeightsError: the card has none.
    """
    if choice.weights is None:
        raise WeightsError(
            f"No weights for '{choice.name}'.",
            "Its card has none.",
            f'Take random weights, zoo.load("{choice.name}", weights=False), '
            f'or a file of your own: zoo.load("{choice.name}", weights="file:PATH")',
            fix_cli=(
                f"Take random weights, zoo detect IMAGE --model {choice.name} --weights random, "
                "or a file of your own: --weights file:PATH"
            ),
        )
    return WeightsRequest(
        choice.entry.qualified, choice.tag, choice.weights, Path(choice.entry.origin).parent
    )


def choose(known: Catalogue, name: str, weights: bool | str) -> Choice:
    """The model that `name` stands for, with the tag that `weights` is, if it is one.

    Raises:
        NameNotFound, NameAmbiguous: nothing, or more than one thing, is meant.
    """
    if name.startswith(EXPLICIT):
        raise NameNotFound(
            f"No model named '{name}'.",
            "That is a place for weights; the network they belong to has to be named as well.",
            f'Name it: zoo.load("yolox_nano", weights="{name}")',
            fix_cli=f"Name it: zoo detect IMAGE --model yolox_nano --weights {name}",
        )
    choice = known.resolve(name)
    if isinstance(weights, bool) or is_place(weights):
        return choice
    if weights.endswith(FILES) or "/" in weights:
        raise NameNotFound(
            f"The weights '{weights}' of the model '{name}' can't be used.",
            "That looks like a file; text without a prefix is a tag of the card's weights.",
            f'Say that it is a file: weights="file:{weights}"',
            fix_cli=f"Say that it is a file: --weights file:{weights}",
        )
    if weights == RANDOM and weights not in choice.entry.card.weights:
        raise NameNotFound(
            f"The weights '{weights}' of the model '{name}' can't be used.",
            "No weights on its card have that tag.",
            f'For random weights: zoo.load("{name}", weights=False)',
            fix_cli="For random weights: --weights random",
        )
    base, _, tag = name.partition(".")
    if tag and tag != weights:
        raise NameNotFound(
            f"The weights '{weights}' of the model '{name}' can't be used.",
            "Those are two different tags.",
            f'Keep one: zoo.load("{base}", weights="{weights}")',
            fix_cli=f"Keep one: --model {base} --weights {weights}",
        )
    return known.resolve(f"{choice.entry.qualified}.{weights}")


def called(choice: Choice, found: Found) -> str:
    """The model's name with these weights: with its tag if they are the card's own."""
    return choice.name if found.weights is choice.weights else choice.entry.name


def is_place(weights: bool | str) -> bool:
    """Whether `weights` says where a file is, rather than which of the card's it is."""
    return isinstance(weights, str) and weights.startswith(EXPLICIT)


def find(
    known: Catalogue, choice: Choice, place: str | None = None, *, progress: bool | None = None
) -> Found:
    """The file at an explicit place (see `locate`), else the choice's own.

    Raises:
        WeightsError: they can't be had, or the card has none.
    """
    if place is not None:
        return _explicit(known, choice, place, progress=progress)
    one = wanted(choice)
    file = fetch(
        one.weights,
        name=one.name,
        tag=one.tag,
        origin=one.origin,
        mirrors=known.mirrors,
        progress=progress,
    )
    return Found(file, one.weights)


def _explicit(known: Catalogue, choice: Choice, spec: str, *, progress: bool | None) -> Found:
    default = choice.entry.card.default_weights()
    file = locate(
        spec,
        state_key=default.state_key if default else None,
        mirrors=known.mirrors,
        progress=progress,
    )
    every = choice.entry.card.weights.values()
    return Found(file, next((one for one in every if _is_published(file, one)), None))


def _is_published(file: WeightsFile, weights: Weights) -> bool:
    """Whether a file given by hand is one of the card's own, and so needs the same fixes."""
    return any(
        source.sha256 and file.sha256.startswith(source.sha256) for source in weights.sources
    )
