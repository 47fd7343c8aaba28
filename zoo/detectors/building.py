"""From a card to its architecture, built; where its arguments can't be built, the card's own line is named."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import msgspec
import torch

from zoo.detectors.blame import blame
from zoo.detectors.detector import Detector
from zoo.errors import CardError, ContractError, ZooError
from zoo.labels import LabelSpace
from zoo.registry import Catalogue, Choice
from zoo.registry.catalogue import Entry
from zoo.registry.document import Sheet, read
from zoo.registry.shelf import USER


def build(known: Catalogue, choice: Choice, space: LabelSpace) -> Detector:
    """The card's architecture with the card's arguments, its weights whatever the current device makes of them.

    Raises:
        CardError: it can't be built with these arguments; the message names file, line and field of the card.
        ContractError: its plugin broke its contract.
    """
    card = choice.entry.card
    make = known.builder("architectures", card.architecture, plugin=choice.entry.plugin)
    takes_input = card.input is not None and "input" in inspect.signature(make).parameters
    given = {"input": card.input, **card.arguments} if takes_input else card.arguments
    _check_names(choice.entry, make, space, given)
    _check_types(choice.entry, make)
    try:
        detector = make(space=space, **given)
    except (torch.OutOfMemoryError, MemoryError):
        raise
    except CardError as why:
        raise _flaw(choice.entry, why.case, why.fix, argument=_argument_in(why.asked, card.arguments)) from why
    except ZooError:
        raise
    except Exception as why:
        _refused(choice, make, why)
    if not isinstance(detector, Detector):
        raise ContractError(
            _asked(choice),
            f"It returned a {type(detector).__name__}, not a zoo.Detector.",
            "Return a subclass of zoo.Detector from the builder.",
        )
    return detector


def _check_names(entry: Entry, make: Callable[..., object], space: LabelSpace, given: Mapping[str, object]) -> None:
    """Refuses arguments that the architecture does not take, or can't do without. Raises: CardError."""
    wanted = inspect.signature(make)
    try:
        wanted.bind(space=space, **given)
    except TypeError as why:
        stray = next((name for name in entry.card.arguments if name not in wanted.parameters), None)
        case = f"'{entry.card.architecture}' can't be built with these arguments: {why}."
        raise _flaw(entry, case, f"It takes: {_names(make)}.", argument=stray) from why


def _check_types(entry: Entry, make: Callable[..., object]) -> None:
    """Refuses a value of another type than its builder's annotation, where that is one of plain data. Raises: CardError."""
    try:
        parameters = inspect.signature(make, eval_str=True).parameters
    except Exception:  # an annotation that only a type checker can resolve says nothing here
        return
    for name, value in entry.card.arguments.items():
        kind = parameters[name].annotation if name in parameters else inspect.Parameter.empty
        if kind is inspect.Parameter.empty:
            continue
        try:
            with suppress(TypeError):  # of types that plain data can't be
                msgspec.convert(value, kind)
        except msgspec.ValidationError as why:
            case = f"{str(why).replace('`', '')}: {value!r:.60}."
            raise _flaw(entry, case, f"Write for {name} what '{entry.card.architecture}' takes.", argument=name) from None


def _refused(choice: Choice, make: Callable[..., object], why: Exception) -> NoReturn:
    """The error for a builder that failed: the card's where it is the user's, else the plugin's, whose card it is."""
    said = f"Its builder raised {type(why).__name__}: {' '.join(str(why).split()) or 'nothing more'}"
    entry = choice.entry
    if entry.plugin == USER and entry.card.arguments:
        case = f"'{entry.card.architecture}' can't be built with these arguments. {said}"
        raise _flaw(entry, case, f"Mend the arguments. It takes: {_names(make)}.") from why
    raise ContractError(_asked(choice), said, blame(make)) from why


def _flaw(entry: Entry, case: str, fix: str, *, argument: str | None = None) -> CardError:
    """The error for the card's arguments, or one of them, with file, line and field."""
    at = ("cards", entry.name, "arguments", *([argument] if argument in entry.card.arguments else []))
    origin = Path(entry.origin)
    with suppress(Exception):  # the file may have changed or gone since it was read
        return Sheet(origin, read(origin) if entry.line else None).flaw(case, fix, at=[str(step) for step in at])
    return Sheet(origin).flaw(case, fix, at=[str(step) for step in at])


def _argument_in(asked: str, arguments: Mapping[str, object]) -> str | None:
    """The argument that a builder's own refusal speaks of, as in `built with size=100`."""
    return next((name for name in arguments if f"{name}=" in asked), None)


def _names(make: Callable[..., object]) -> str:
    return ", ".join(name for name in inspect.signature(make).parameters if name != "space")


def _asked(choice: Choice) -> str:
    return f"'{choice.name}' was to be built by the architecture '{choice.entry.card.architecture}'."
