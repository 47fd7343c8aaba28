"""Builds a card's network, and names the argument of a card that its architecture refuses."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import get_type_hints

import msgspec
import torch

from zoo.detectors.detector import Detector
from zoo.detectors.meta_device import on_meta_device
from zoo.detectors.size_limit import limited
from zoo.errors import CardError, ContractError, NameAmbiguous, NameNotFound, ZooError
from zoo.inference.defect_owner import defect_owner
from zoo.labels import LabelSpace
from zoo.labels.builtin import space_of
from zoo.registry import Catalogue, Choice
from zoo.registry.card import OPEN, Card
from zoo.registry.registry_file import USER
from zoo.registry.yaml_document import Sheet, Step, read
from zoo.text import type_name

EXAMPLE = LabelSpace.custom(["person", "car", "dog"])
NO_FILES: Mapping[str, Path] = {}
Make = Callable[..., object]
OF_THE_CARD = (
    CardError,
    ContractError,
    NameNotFound,
    NameAmbiguous,
)  # errors that a card's arguments can lead to


def build(
    known: Catalogue,
    choice: Choice,
    label_space: LabelSpace,
    *,
    files: Mapping[str, Path] = NO_FILES,
) -> Detector:
    """The card's architecture with the card's arguments, its weights whatever the current device
    makes of them.

    files: of the card's weights besides the checkpoint, verified, by role; a builder that takes
        `files` gets them, and none for random weights.
    Raises:
        CardError: the arguments are not the architecture's, or a user's own card has a value it
            can't be built with.
        ContractError: the architecture is defective.
    """
    card = choice.entry.card
    make = known.builder("architectures", card.architecture, plugin=choice.entry.plugin)
    _check_callable(choice, make)
    parameters = inspect.signature(make).parameters
    given: dict[str, object] = {"label_space": label_space}
    if card.input is not None and "input" in parameters:
        given["input"] = card.input
    if "files" in parameters:
        given["files"] = files
    elif files:
        raise _takes_no_files(choice, files)
    given |= card.arguments
    _check_names(choice, make, given)
    _check_types(choice, make)
    try:
        with limited():
            detector = make(**given)
    except (torch.OutOfMemoryError, MemoryError):
        raise
    except Exception as why:
        raise _explained(choice, make, given, why) from why
    if not isinstance(detector, Detector):
        raise ContractError(
            _asked(choice),
            f"It returned {type_name(detector)}, not a zoo.Detector.",
            "Return a subclass of zoo.Detector from the builder.",
        )
    return detector


def _takes_no_files(choice: Choice, files: Mapping[str, Path]) -> CardError:
    entry = choice.entry
    return _sheet(choice).flaw(
        f"The architecture '{entry.card.architecture}' takes no files, and the card has "
        f"{', '.join(files)}.",
        "Take them out, or give its builder a parameter `files`.",
        at=("cards", entry.name, "weights"),
    )


def example_space(card: Card) -> LabelSpace:
    """The card's label space; three classes for a card that leaves them open."""
    return EXAMPLE if card.labels == OPEN else space_of(card.labels)


def _check_callable(choice: Choice, make: Make) -> None:
    """Raises: ContractError for a builder without a signature."""
    try:
        inspect.signature(make)
    except Exception as why:
        case = f"Its builder does not say which arguments it takes: {type(why).__name__}."
        raise ContractError(_asked(choice), case, defect_owner(make, shown="its card")) from why


def _check_names(choice: Choice, make: Make, given: Mapping[str, object]) -> None:
    """Raises: CardError for arguments of a card that its architecture does not have."""
    try:
        inspect.signature(make).bind(**given)
    except TypeError as why:
        unknown = [
            name
            for name in choice.entry.card.arguments
            if name not in inspect.signature(make).parameters
        ]
        raise _flaw(
            choice, f"The arguments do not fit: {why}.", _taken(choice, make), *unknown[:1]
        ) from why


def _check_types(choice: Choice, make: Make) -> None:
    """Raises: CardError for values of another type than the builder's signature says."""
    try:
        hints = get_type_hints(inspect.unwrap(make))
    # not a function, or it names types that only a type checker sees
    except Exception:
        return
    for name, value in choice.entry.card.arguments.items():
        try:
            msgspec.convert(value, hints.get(name, object))
        except msgspec.ValidationError as why:
            raise _flaw(
                choice, f"{str(why).replace('`', '')}: {value!r:.60}.", _taken(choice, make), name
            ) from None
        except TypeError:  # a type that is not made from plain data
            continue


def _explained(choice: Choice, make: Make, given: Mapping[str, object], why: Exception) -> ZooError:
    """The error for what a builder raised: the card's if it is the user's own and other arguments
    would do."""
    own = choice.entry.plugin == USER
    if isinstance(why, ZooError):
        if not own or not isinstance(why, OF_THE_CARD):
            return why
        place = _place(choice, *_culprit(choice, make, given) or ())
        return CardError(f"{why.asked} {place}", why.case, why.fix)
    said = f"Its builder raised {type(why).__name__}: {' '.join(str(why).split()).rstrip('.')}."
    wrong = _culprit(choice, make, given) if own else None
    if wrong is None:
        return ContractError(_asked(choice), said, defect_owner(make, shown="its card"))
    return _flaw(
        choice, f"The architecture can't be built with that. {said}", _taken(choice, make), *wrong
    )


def _culprit(choice: Choice, make: Make, given: Mapping[str, object]) -> tuple[str, ...] | None:
    """The one argument without which the architecture can be built, none if only leaving out all
    helps, or None if not even that."""
    written = choice.entry.card.arguments
    for left_out in [*((name,) for name in written), tuple(written)]:
        try:
            with on_meta_device(), limited():
                make(**{name: value for name, value in given.items() if name not in left_out})
        except Exception:
            # whatever a builder raises: without that argument it can't be built either
            continue
        return left_out if len(left_out) == 1 else ()
    return None


def _asked(choice: Choice) -> str:
    return f"'{choice.name}' can't be built by the architecture '{choice.entry.card.architecture}'."


def _place(choice: Choice, *argument: Step) -> str:
    """Where the card says so: `The card says so in 'mine.yaml', line 7, field
    'cards.mine.arguments.depth'.`"""
    where = _flaw(choice, "", "", *argument).case.rstrip(": ")
    return f"The card says so in '{choice.entry.origin}', {where[0].lower()}{where[1:]}."


def _flaw(choice: Choice, case: str, fix: str, *argument: Step) -> CardError:
    """The error for the card's arguments, or one of them, with its line in the file."""
    return _sheet(choice).flaw(case, fix, at=("cards", choice.entry.name, "arguments", *argument))


def _sheet(choice: Choice) -> Sheet:
    """Where the card is written."""
    origin = Path(choice.entry.origin)
    return Sheet(origin, None if choice.entry.line is None else read(origin))


def _taken(choice: Choice, make: Make) -> str:
    parameters = inspect.signature(make).parameters.values()
    named = [one.name for one in parameters if one.kind is not one.VAR_KEYWORD]
    names = ", ".join(name for name in named if name not in ("label_space", "files"))
    return (
        f"The architecture '{choice.entry.card.architecture}' takes: {names}."
        if names
        else "Correct it, or leave it out."
    )
