"""Builds a card's network, with or without content, and within a limit of layers and parameters; an
argument of the card that its architecture refuses is named.

`on_meta_device` builds it without content, where nothing is drawn that would be thrown away.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from functools import partial
from inspect import Signature
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
import torch
from torch import Tensor, nn
from torch.nn.modules.module import (
    register_module_module_registration_hook,
    register_module_parameter_registration_hook,
)
from torch.overrides import TorchFunctionMode

from zoo.detectors.detector import Detector
from zoo.errors import (
    CardError,
    ContractError,
    NameAmbiguous,
    NameNotFound,
    UsageError,
    ZooError,
)
from zoo.inference.defect_owner import defect_owner
from zoo.labels import LabelSpace
from zoo.labels.builtin import OPEN, space_of
from zoo.registry import Catalogue, Choice
from zoo.registry.card import Card
from zoo.registry.folder import HUB_PREFIX
from zoo.registry.registry_file import USER
from zoo.registry.schema import plainly
from zoo.registry.yaml_document import Sheet, Step, read
from zoo.suggest import join_or
from zoo.text import type_name

EXAMPLE = LabelSpace.custom(["person", "car", "dog"])
NO_FILES: Mapping[str, Path] = {}
Make = Callable[..., object]
# Errors that a card's arguments can lead to.
OF_THE_CARD = (CardError, ContractError, NameNotFound, NameAmbiguous, UsageError)
# No detector has thirty thousand layers; a number on a card can ask for them.
LAYERS = 30_000
PARAMETERS = 100_000_000_000
# All that torch's layers begin their weights with; each returns the tensor it was given.
_DRAWN = {
    *(Tensor.normal_, Tensor.uniform_, Tensor.fill_, Tensor.zero_),
    *(nn.init.normal_, nn.init.uniform_, nn.init.constant_, nn.init.kaiming_uniform_),
}


def build(
    catalogue: Catalogue,
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
    make = catalogue.builder("architectures", card.architecture, plugin=choice.entry.plugin)
    signature = _signature(choice, make)
    arguments: dict[str, object] = {"label_space": label_space}
    if card.input is not None and "input" in signature.parameters:
        arguments["input"] = card.input
    if "files" in signature.parameters:
        arguments["files"] = files
    elif files:
        raise _takes_no_files(choice, files)
    arguments |= deepcopy(card.arguments)  # a builder may change lists that it is given
    _check_names(choice, signature, arguments)
    _check_types(choice, make, signature)
    try:
        with limited():
            detector = make(**arguments)
    except (torch.OutOfMemoryError, MemoryError):
        raise
    except Exception as error:
        raise _explained(choice, make, arguments, error) from error
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


def _signature(choice: Choice, make: Make) -> Signature:
    """The arguments that a builder takes. Raises: ContractError where it does not say."""
    try:
        return inspect.signature(make)
    except Exception as error:
        case = f"Its builder does not say which arguments it takes: {type(error).__name__}."
        raise ContractError(_asked(choice), case, defect_owner(make, shown="its card")) from error


def _check_names(choice: Choice, signature: Signature, arguments: Mapping[str, object]) -> None:
    """Raises: CardError for arguments of a card that its architecture does not have."""
    try:
        signature.bind(**arguments)
    except TypeError as error:
        unknown = [name for name in choice.entry.card.arguments if name not in signature.parameters]
        case = f"The arguments do not fit: {error}."
        raise _flaw(choice, case, _taken(choice, signature), *unknown[:1]) from error


def _check_types(choice: Choice, make: Make, signature: Signature) -> None:
    """Raises: CardError for values of another type than the builder's signature says."""
    for name, case in mistyped(make, choice.entry.card.arguments):
        raise _flaw(choice, f"{case}.", _taken(choice, signature), name)


def mistyped(
    make: Callable[..., Any], arguments: Mapping[str, object]
) -> Iterator[tuple[str, str]]:
    """The name of each argument of another type, and what is wrong with it in words; nothing for
    those whose types can't be told, or are not made from plain data."""
    hints = _hints(make)
    for name, value in arguments.items():
        try:
            msgspec.convert(value, hints.get(name, object))
        except msgspec.ValidationError as error:
            yield name, _in_words(error, value, hints[name])
        except TypeError:
            continue


def _in_words(error: msgspec.ValidationError, value: object, hint: object) -> str:
    if get_origin(hint) is Literal:
        return f"It is {join_or(map(str, get_args(hint)))}"
    return plainly(str(error), value)


def _hints(make: Callable[..., Any]) -> dict[str, Any]:
    made: Any = inspect.unwrap(make)
    while isinstance(made, partial):
        made = inspect.unwrap(made.func)
    if isinstance(made, type):
        made = made.__init__  # type: ignore[misc]
    try:
        return get_type_hints(made, include_extras=True)
    # not a function, or it names types that only a type checker sees
    except Exception:
        return {}


def _explained(
    choice: Choice, make: Make, arguments: Mapping[str, object], error: Exception
) -> ZooError:
    """The error for what a builder raised: the card's if it is the user's own and other arguments
    would do."""
    own = choice.entry.plugin == USER or choice.entry.plugin.startswith(HUB_PREFIX)
    if isinstance(error, ZooError):
        if not own or not isinstance(error, OF_THE_CARD):
            return error
        place = _place(choice, *_culprit(choice, make, arguments) or ())
        return CardError(f"{error.asked} {place}", error.case, error.fix)
    said = f"Its builder raised {type(error).__name__}: {' '.join(str(error).split()).rstrip('.')}."
    wrong = _culprit(choice, make, arguments) if own else None
    if wrong is None:
        return ContractError(_asked(choice), said, defect_owner(make, shown="its card"))
    case = f"The architecture can't be built with that. {said}"
    return _flaw(choice, case, _taken(choice, inspect.signature(make)), *wrong)


def _culprit(choice: Choice, make: Make, arguments: Mapping[str, object]) -> tuple[str, ...] | None:
    """The one argument without which the architecture can be built, none if only leaving out all
    helps, or None if not even that."""
    written = choice.entry.card.arguments
    for left_out in [*((name,) for name in written), tuple(written)]:
        try:
            with on_meta_device(), limited():
                make(**{name: value for name, value in arguments.items() if name not in left_out})
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


def _taken(choice: Choice, signature: Signature) -> str:
    parameters = signature.parameters.values()
    named = [each.name for each in parameters if each.kind is not each.VAR_KEYWORD]
    names = ", ".join(name for name in named if name not in ("label_space", "files"))
    return (
        f"The architecture '{choice.entry.card.architecture}' takes: {names}."
        if names
        else "Correct it, or leave it out."
    )


@contextmanager
def on_meta_device() -> Iterator[None]:
    """Modules built inside have shapes and no content."""
    with torch.device("meta"), _Undrawn():
        yield


class _Undrawn(TorchFunctionMode):
    """Leaves meta tensors as they are where they would be filled: torch follows that in Python, and
    it takes time."""

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: Sequence[type],
        args: Sequence[object] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        if func in _DRAWN:
            tensor = args[0] if args else (kwargs or {}).get("tensor")
            if isinstance(tensor, Tensor) and tensor.is_meta:
                return tensor
        return func(*args, **(kwargs or {}))


class TooLarge(ValueError):
    """A network is being built that nobody means; the text says what is too much."""


@contextmanager
def limited() -> Iterator[None]:
    """Stops a builder that this thread runs inside. Raises: TooLarge, from within it."""
    builder = threading.get_ident()
    layers = parameters = 0

    def count_layer(_: nn.Module, __: str, ___: nn.Module | None) -> None:
        nonlocal layers
        layers += threading.get_ident() == builder
        if layers > LAYERS:
            raise TooLarge(f"The network would have more than {LAYERS:,} layers")

    def count_parameters(_: nn.Module, __: str, parameter: nn.Parameter | None) -> None:
        nonlocal parameters
        if parameter is not None and threading.get_ident() == builder:
            parameters += parameter.numel()
        if parameters > PARAMETERS:
            raise TooLarge(f"The network would have more than {PARAMETERS:,} parameters")

    hooks = (
        register_module_module_registration_hook(count_layer),
        register_module_parameter_registration_hook(count_parameters),
    )
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
