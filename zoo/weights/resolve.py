"""Resolves a model name and weights argument to a verified file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path

from zoo.errors import NameNotFound, WeightsError
from zoo.registry import Catalogue, Choice
from zoo.registry.card import MODEL, Weights
from zoo.registry.requirements import check_requirements
from zoo.weights.fetch import fetch, locate
from zoo.weights.types import WeightsFile, WeightsRequest

EXPLICIT = ("file:", "hub:", "https://", "http://")
RANDOM = "random"  # what the command line calls weights=False
FILES = (".safetensors", ".pth", ".pt", ".bin", ".ckpt")


@dataclass(frozen=True)
class Resolved:
    """A model and its verified files, as a name and a `weights` argument resolve once for a run.

    choice:  the card, and the weights that the name stands for.
    files:   by role, the checkpoint as `model`; empty for random weights.
    weights: what the card says of the checkpoint; None for a file of the user's own and for random
        weights.
    """

    choice: Choice
    files: Mapping[str, WeightsFile]
    weights: Weights | None

    @property
    def name(self) -> str:
        """The model's name with these weights: with its tag if they are the card's own."""
        own = self.weights is not None and self.weights is self.choice.weights
        return self.choice.name if own else self.choice.entry.name

    @property
    def file(self) -> WeightsFile | None:
        """The checkpoint; None for random weights."""
        return self.files.get(MODEL)

    @property
    def others(self) -> dict[str, Path]:
        """The paths of the other files, by role."""
        return {role: file.path for role, file in self.files.items() if role != MODEL}


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


def choose(known: Catalogue, name: str, weights: bool | str | PathLike[str] = True) -> Choice:
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
    if not isinstance(weights, str) or is_place(weights):
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


def is_place(weights: bool | str | PathLike[str]) -> bool:
    """Whether `weights` says where a file is, rather than which of the card's it is."""
    return isinstance(weights, PathLike) or (
        isinstance(weights, str) and weights.startswith(EXPLICIT)
    )


def resolve(
    known: Catalogue,
    choice: Choice,
    weights: bool | str | PathLike[str] = True,
    *,
    progress: bool | None = None,
) -> Resolved:
    """The verified files of a choice: of its card's weights, of a place (see `locate`), or none.

    weights: as `choose` was given it; False for random weights.

    Raises:
        MissingExtra: the card requires what is not installed; nothing is fetched then.
        WeightsError: they can't be had, or the card has none.
    """
    check_requirements(choice.entry.card, choice.name)
    if weights is False:
        return Resolved(choice, {}, None)
    if is_place(weights):
        spec = f"file:{fspath(weights)}" if isinstance(weights, PathLike) else str(weights)
        return _explicit(known, choice, spec, progress=progress)
    request = wanted(choice)
    return Resolved(choice, _fetched(known, request.every_file(), progress), request.weights)


def _fetched(
    known: Catalogue, requests: Iterable[WeightsRequest], progress: bool | None
) -> dict[str, WeightsFile]:
    return {
        request.role: fetch(
            request.weights,
            name=request.name,
            tag=request.tag,
            role=request.role,
            origin=request.origin,
            mirrors=known.mirrors,
            progress=progress,
        )
        for request in requests
    }


def _explicit(known: Catalogue, choice: Choice, spec: str, *, progress: bool | None) -> Resolved:
    """The checkpoint at a place; the other files that the family needs are the card's."""
    default = choice.entry.card.default_weights()
    file = locate(
        spec,
        state_key=default.state_key if default else None,
        mirrors=known.mirrors,
        progress=progress,
    )
    every = choice.entry.card.weights.values()
    published = next((weights for weights in every if _is_published(file, weights)), None)
    others = wanted(choice).every_file()[1:] if choice.weights else []
    return Resolved(choice, {MODEL: file, **_fetched(known, others, progress)}, published)


def _is_published(file: WeightsFile, weights: Weights) -> bool:
    """Whether a file given by hand is one of the card's own, and so needs the same settings."""
    return any(
        source.sha256 and file.sha256.startswith(source.sha256) for source in weights.files[MODEL]
    )
