"""From a name to a detector that runs: card, architecture on the meta device, verified weights, assigned."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from os import PathLike, fspath

import torch

from zoo.detectors.assign import assign, read
from zoo.detectors.detector import Detector
from zoo.errors import CardError, ContractError, UsageError
from zoo.hub.choice import choose, find, is_place
from zoo.labels import LabelSpace
from zoo.labels.declared import space_of
from zoo.registry import Catalogue, Choice, catalogue


def load(
    name: str,
    *,
    weights: bool | str | PathLike[str] = True,
    device: torch.device | str | None = None,
    progress: bool | None = None,
) -> Detector:
    """The detector called `name`, in eval mode.

    name:     `yolox_nano`, `yolox_nano.coco` (a tag of its weights), `yolox/yolox_nano` (whose) or an alias.
    weights:  True for the card's weights, False for random ones, a tag, a Path, `file:PATH` or `hub:org/repo@REVISION[:FILE]`.
    device:   where to put it; None is torch's default device.
    progress: a bar while downloading; None shows one on a terminal.

    Raises:
        NameNotFound, NameAmbiguous: nothing, or more than one thing, has that name.
        WeightsError: the weights can't be had, are damaged, or do not fit.
        UsageError: this torch has no such device.
    """
    weights, place = _checked(name, weights), device_of(device)
    known = catalogue()
    choice = choose(known, name, weights)
    space = space_of(choice.entry.card.labels)
    if weights is False:
        detector, tag = build(known, choice, space), None
    else:
        found = find(known, choice, str(weights) if is_place(weights) else None, progress=progress)
        with torch.device("meta"):
            detector = build(known, choice, space)
        assign(detector, read(found.file.path), asked=f"'{name}' was to be loaded from {found.file.source}.")
        if found.weights and found.weights.post_load:
            detector.post_load(found.weights.post_load)
        detector.weights, tag = found.file, choice.tag if found.weights is choice.weights else None
    detector.name = f"{choice.entry.name}.{tag}" if tag else choice.entry.name
    return detector.eval().to(place)


def _checked(name: str, weights: bool | str | PathLike[str]) -> bool | str:
    """What is meant by `weights`. Raises: TypeError for what a type checker would have found."""
    if not isinstance(name, str):
        raise TypeError(f'zoo.load takes the name of a model, as in zoo.load("yolox_nano"), not {name!r}')
    if isinstance(weights, PathLike):
        return f"file:{fspath(weights)}"
    if not isinstance(weights, bool | str):
        raise TypeError(f"weights={weights!r}: True for the card's, False for random ones, a tag, 'file:PATH' or 'hub:org/repo'")
    return weights


def device_of(device: torch.device | str | None) -> torch.device:
    """The device, known to be there. Raises: UsageError."""
    place = device or torch.get_default_device()
    try:
        torch.empty(1, device=place)
        return torch.device(place)
    except (RuntimeError, AssertionError, NotImplementedError) as why:
        there = ["cpu", *([str(best)] if (best := torch.accelerator.current_accelerator()) else [])]
        case = f"This torch ({torch.__version__}) can't use it: {' '.join(str(why).split())[:200].rstrip('.')}."
        raise UsageError(f"The device '{place}' was asked for.", case, f"Here there is: {', '.join(there)}.") from why


def build(known: Catalogue, choice: Choice, space: LabelSpace) -> Detector:
    """The card's architecture with the card's arguments, its weights whatever the current device makes of them."""
    card = choice.entry.card
    make = known.builder("architectures", card.architecture, plugin=choice.entry.plugin)
    takes_input = card.input is not None and "input" in inspect.signature(make).parameters
    given = {"input": card.input, **card.arguments} if takes_input else card.arguments
    _check_arguments(choice, make, space, given)
    detector = make(space=space, **given)
    if not isinstance(detector, Detector):
        raise ContractError(
            f"'{choice.name}' was to be built by the architecture '{card.architecture}'.",
            f"It returned a {type(detector).__name__}, not a zoo.Detector.",
            "Return a subclass of zoo.Detector from the builder.",
        )
    return detector


def _check_arguments(choice: Choice, make: Callable[..., object], space: LabelSpace, given: Mapping[str, object]) -> None:
    """Refuses arguments of a card that its architecture does not take. Raises: CardError."""
    wanted = inspect.signature(make)
    try:
        wanted.bind(space=space, **given)
    except TypeError as why:
        line = f", line {choice.entry.line}" if choice.entry.line else ""
        raise CardError(
            f"'{choice.name}' was to be built by the architecture '{choice.entry.card.architecture}'.",
            f"Its card ({choice.entry.origin}{line}) has arguments that do not fit: {why}.",
            f"It takes: {', '.join(name for name in wanted.parameters if name != 'space')}.",
        ) from why
