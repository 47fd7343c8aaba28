"""Builds a card's network, within a limit of layers and parameters; errors name the argument of the
card that its architecture refuses.

`on_meta_device` builds it without content, and skips the random initialisation.
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
CARD_ERRORS = (CardError, ContractError, NameNotFound, NameAmbiguous, UsageError)
# More than any detector has, and few enough to stop a mistyped number on a card in time.
MAX_LAYERS = 30_000
MAX_PARAMETERS = 100_000_000_000
# The functions by which torch's layers initialise weights; each returns the tensor it was given.
_INITIALISERS = {
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
    """Builds the card's architecture with the card's arguments, on the current default device.

    files: the verified files of the card's weights besides the checkpoint, by role; a builder with
        a parameter `files` gets them, or none for random weights.
    Raises:
        CardError: the architecture has no such arguments, or can't be built with a value on a
            user's own card.
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
        with size_limit():
            detector = make(**arguments)
    except (torch.OutOfMemoryError, MemoryError):
        raise
    except Exception as error:
        raise _builder_error(choice, make, arguments, error) from error
    if not isinstance(detector, Detector):
        raise ContractError(
            _cannot_build(choice),
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
    """The arguments that a builder takes. Raises: ContractError if it can't be inspected."""
    try:
        return inspect.signature(make)
    except Exception as error:
        case = f"Its builder does not say which arguments it takes: {type(error).__name__}."
        raise ContractError(
            _cannot_build(choice), case, defect_owner(make, shown="its card")
        ) from error


def _check_names(choice: Choice, signature: Signature, arguments: Mapping[str, object]) -> None:
    """Raises: CardError for an argument on the card that the builder does not take."""
    try:
        signature.bind(**arguments)
    except TypeError as error:
        unknown = [name for name in choice.entry.card.arguments if name not in signature.parameters]
        case = f"The arguments do not fit: {error}."
        raise _flaw(choice, case, _parameters_hint(choice, signature), *unknown[:1]) from error


def _check_types(choice: Choice, make: Make, signature: Signature) -> None:
    """Raises: CardError for a value of another type than in the builder's signature."""
    for name, case in type_mismatches(make, choice.entry.card.arguments):
        raise _flaw(choice, f"{case}.", _parameters_hint(choice, signature), name)


def type_mismatches(
    make: Callable[..., Any], arguments: Mapping[str, object]
) -> Iterator[tuple[str, str]]:
    """Name and problem, in words, of each argument whose type is not that of the signature.

    Arguments without type hints, or of types that can't be made from plain data, pass.
    """
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
    function: Any = inspect.unwrap(make)
    while isinstance(function, partial):
        function = inspect.unwrap(function.func)
    if isinstance(function, type):
        function = function.__init__  # type: ignore[misc]
    try:
        return get_type_hints(function, include_extras=True)
    except Exception:  # not a function, or hints that only a type checker can resolve
        return {}


def _builder_error(
    choice: Choice, make: Make, arguments: Mapping[str, object], error: Exception
) -> ZooError:
    """The error for what a builder raised: the card's, if it is the user's own card and the
    architecture can be built with other arguments, else the builder's."""
    own = choice.entry.plugin == USER or choice.entry.plugin.startswith(HUB_PREFIX)
    if isinstance(error, ZooError):
        if not own or not isinstance(error, CARD_ERRORS):
            return error
        where = _where_written(choice, *_culprit(choice, make, arguments) or ())
        return CardError(f"{error.failure} {where}", error.case, error.fix)
    summary = (
        f"Its builder raised {type(error).__name__}: {' '.join(str(error).split()).rstrip('.')}."
    )
    culprit = _culprit(choice, make, arguments) if own else None
    if culprit is None:
        return ContractError(_cannot_build(choice), summary, defect_owner(make, shown="its card"))
    case = f"The architecture can't be built with that. {summary}"
    return _flaw(choice, case, _parameters_hint(choice, inspect.signature(make)), *culprit)


def _culprit(choice: Choice, make: Make, arguments: Mapping[str, object]) -> tuple[str, ...] | None:
    """The one argument without which the architecture can be built; `()` if it can only be built
    without all of them, None if not even then."""
    arguments_of_card = choice.entry.card.arguments
    for left_out in [*((name,) for name in arguments_of_card), tuple(arguments_of_card)]:
        try:
            with on_meta_device(), size_limit():
                make(**{name: value for name, value in arguments.items() if name not in left_out})
        except Exception:  # whatever the builder raises, this argument is not the culprit
            continue
        return left_out if len(left_out) == 1 else ()
    return None


def _cannot_build(choice: Choice) -> str:
    return f"'{choice.name}' can't be built by the architecture '{choice.entry.card.architecture}'."


def _where_written(choice: Choice, *argument: Step) -> str:
    """Where the card has the argument: `The card says so in 'mine.yaml', line 7, field
    'cards.mine.arguments.depth'.`"""
    where = _flaw(choice, "", "", *argument).case.rstrip(": ")
    return f"The card says so in '{choice.entry.origin}', {where[0].lower()}{where[1:]}."


def _flaw(choice: Choice, case: str, fix: str, *argument: Step) -> CardError:
    """The error for the card's arguments, or one of them, with its line in the file."""
    return _sheet(choice).flaw(case, fix, at=("cards", choice.entry.name, "arguments", *argument))


def _sheet(choice: Choice) -> Sheet:
    """The YAML document with the card."""
    origin = Path(choice.entry.origin)
    return Sheet(origin, None if choice.entry.line is None else read(origin))


def _parameters_hint(choice: Choice, signature: Signature) -> str:
    parameters = signature.parameters.values()
    accepted = [each.name for each in parameters if each.kind is not each.VAR_KEYWORD]
    names = ", ".join(name for name in accepted if name not in ("label_space", "files"))
    return (
        f"The architecture '{choice.entry.card.architecture}' takes: {names}."
        if names
        else "Correct it, or leave it out."
    )


@contextmanager
def on_meta_device() -> Iterator[None]:
    """Context in which modules are built with shapes and without content."""
    with torch.device("meta"), _SkipInitialisation():
        yield


class _SkipInitialisation(TorchFunctionMode):
    """Skips the functions that would fill meta tensors: torch runs them in Python, slowly and
    without effect."""

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: Sequence[type],
        args: Sequence[object] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        if func in _INITIALISERS:
            tensor = args[0] if args else (kwargs or {}).get("tensor")
            if isinstance(tensor, Tensor) and tensor.is_meta:
                return tensor
        return func(*args, **(kwargs or {}))


class TooLarge(ValueError):
    """A network is larger than any detector; the text names the limit."""


@contextmanager
def size_limit() -> Iterator[None]:
    """Stops a builder that this thread runs inside at `MAX_LAYERS` and `MAX_PARAMETERS`.

    Raises: TooLarge, from within the builder.
    """
    builder = threading.get_ident()
    layers = parameters = 0

    def count_layer(_: nn.Module, __: str, ___: nn.Module | None) -> None:
        nonlocal layers
        layers += threading.get_ident() == builder
        if layers > MAX_LAYERS:
            raise TooLarge(f"The network would have more than {MAX_LAYERS:,} layers")

    def count_parameters(_: nn.Module, __: str, parameter: nn.Parameter | None) -> None:
        nonlocal parameters
        if parameter is not None and threading.get_ident() == builder:
            parameters += parameter.numel()
        if parameters > MAX_PARAMETERS:
            raise TooLarge(f"The network would have more than {MAX_PARAMETERS:,} parameters")

    hooks = (
        register_module_module_registration_hook(count_layer),
        register_module_parameter_registration_hook(count_parameters),
    )
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
