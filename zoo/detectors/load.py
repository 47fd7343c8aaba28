"""From a name to a detector that runs: card, architecture on the meta device, verified weights, assigned."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from zoo import hub, labels
from zoo.detectors.assign import assign, read
from zoo.detectors.detector import Detector
from zoo.errors import ContractError, NameNotFound
from zoo.hub import Fetched
from zoo.labels import LabelSpace
from zoo.registry import Catalogue, Choice, catalogue
from zoo.registry.card import Weights

EXPLICIT = ("file:", "hub:")


def load(
    name: str, *, weights: bool | str = True, device: torch.device | str | None = None, progress: bool | None = None
) -> Detector:
    """The detector called `name`, in eval mode.

    name:     `yolox_nano`, `yolox_nano.coco` (a tag of its weights), `yolox/yolox_nano` (whose) or an alias.
    weights:  True for the card's weights, False for random ones, a tag, `file:PATH` or `hub:org/repo@revision`.
    device:   where to put it; None is torch's default device.
    progress: a bar while downloading; None shows one on a terminal.

    Raises:
        NameNotFound, NameAmbiguous: nothing, or more than one thing, has that name.
        WeightsError: the weights can't be had, are damaged, or do not fit.
    """
    known = catalogue()
    choice = known.resolve(_plain(name, weights))
    space = label_space(choice)
    if weights is False:
        detector = build(known, choice, space)
    else:
        found = find_weights(known, choice, weights, progress=progress)
        with torch.device("meta"):
            detector = build(known, choice, space)
        assign(detector, read(found.file.path), asked=f"Loading '{name}' from {found.file.source}.")
        if found.weights and found.weights.post_load:
            detector.post_load(found.weights.post_load)
        detector.weights = found.file
    detector.name = choice.name
    return detector.eval().to(device or torch.get_default_device())


@dataclass(frozen=True)
class Found:
    """A verified weights file, and what the card says of it, if it is the card's."""

    file: Fetched
    weights: Weights | None


def find_weights(known: Catalogue, choice: Choice, weights: bool | str, *, progress: bool | None = None) -> Found:
    """The file that `weights` stands for, on this machine and verified."""
    if isinstance(weights, str) and weights.startswith(EXPLICIT):
        return _explicit(known, choice, weights, progress=progress)
    if isinstance(weights, str):
        choice = known.resolve(f"{choice.entry.qualified}.{weights}")
    if choice.weights is None:
        raise NameNotFound(
            f"The weights of '{choice.name}' were asked for.",
            "Its card has none.",
            f'Pass weights=False for random weights, or weights="file:PATH" for your own: zoo.load("{choice.name}", weights=False)',
        )
    origin = Path(choice.entry.origin).parent
    file = hub.fetch(
        choice.weights, name=choice.entry.qualified, tag=choice.tag, origin=origin, mirrors=known.mirrors, progress=progress
    )
    return Found(file, choice.weights)


def _explicit(known: Catalogue, choice: Choice, spec: str, *, progress: bool | None) -> Found:
    default = choice.entry.card.default_weights()
    key = default.state_key if default else None
    file = hub.locate(spec, state_key=key, mirrors=known.mirrors, progress=progress)
    every = choice.entry.card.weights.values()
    return Found(file, next((one for one in every if _is_published(file, one)), None))


def _is_published(file: Fetched, weights: Weights) -> bool:
    """Whether a file given by hand is one of the card's own, and so needs the same fixes."""
    return any(source.sha256 and file.sha256.startswith(source.sha256) for source in weights.sources)


def build(known: Catalogue, choice: Choice, space: LabelSpace) -> Detector:
    """The card's architecture with the card's arguments, its weights whatever the current device makes of them."""
    card = choice.entry.card
    make = known.builder("architectures", card.architecture, plugin=choice.entry.plugin)
    detector = make(space=space, **card.arguments)
    if not isinstance(detector, Detector):
        raise ContractError(
            f"'{choice.name}' was built by the architecture '{card.architecture}'.",
            f"It returned a {type(detector).__name__}, not a zoo.Detector.",
            "Return a subclass of zoo.Detector from the builder.",
        )
    return detector


def label_space(choice: Choice) -> LabelSpace:
    """The label space the card declares, by name or as a list of class names."""
    declared = choice.entry.card.labels
    return labels.get(declared) if isinstance(declared, str) else LabelSpace.custom(declared)


def _plain(name: str, weights: bool | str) -> str:
    if name.startswith(EXPLICIT):
        raise NameNotFound(
            f"A model named '{name}' was asked for.",
            "That is a place for weights; the network they belong to has to be named as well.",
            f'Name it: zoo.load("yolox_nano", weights="{name}")',
        )
    base, _, tag = name.partition(".")
    if tag and isinstance(weights, str) and weights != tag and not weights.startswith(EXPLICIT):
        raise NameNotFound(
            f"The model '{name}' was asked for with weights='{weights}'.", "Those are two different tags.", f"Keep one: '{base}.{weights}'"
        )
    return name
