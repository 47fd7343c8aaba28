"""Builds the parts of a composition, each from the levels of the one before it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import nn

from zoo import text as words
from zoo.contract import Backbone, FeatureLevel, Head, Neck, backbone, levels_of
from zoo.detectors.build import type_mismatches
from zoo.detectors.composition import Composition
from zoo.errors import ContractError, NameNotFound, UsageError, ZooError
from zoo.labels import LabelSpace
from zoo.registry import catalogue
from zoo.registry.registrations import Kind

RGB_CHANNELS = 3


class PartMismatch(Exception):
    """Two neighbouring parts that do not fit.

    kind:   the part that could not be built: `backbone`, `neck` or `head`.
    levels: the levels of the parts before it, by kind.
    error:  why it could not be built.
    """

    def __init__(
        self, kind: str, levels: Mapping[str, tuple[FeatureLevel, ...]], error: ZooError
    ) -> None:
        super().__init__(kind, levels, error)
        self.kind = kind
        self.levels = levels
        self.error = error


@dataclass(frozen=True)
class Parts:
    """The built parts of one composition."""

    backbone: Backbone
    neck: Neck | None
    head: Head[Any]


def assemble(plan: Composition, label_space: LabelSpace) -> Parts:
    """Builds the parts, backbone first, on the current default device.

    Raises:
        NameNotFound, NameAmbiguous: a part or an argument of one has no such name.
        UsageError: an argument can't have that value, or is missing.
        PartMismatch: two of them do not fit.
    """
    body = build_part(plan, "backbone", {"strides": plan.strides})
    levels = {"backbone": levels_of(body, name=plan.backbone)}
    neck = None
    if plan.neck is not None:
        neck = build_part(plan, "neck", {"levels": levels["backbone"]}, above=levels)
        levels["neck"] = levels_of(neck, name=plan.neck)
    last = levels.get("neck", levels["backbone"])
    head = build_part(plan, "head", {"levels": last, "label_space": label_space}, above=levels)
    return Parts(body, neck, head)


def build_part(
    plan: Composition,
    kind: str,
    context: Mapping[str, object],
    *,
    above: Mapping[str, tuple[FeatureLevel, ...]] | None = None,
) -> Any:
    """Builds one part, and checks that it has the members of its kind.

    context: arguments from the pipeline: strides, levels, label space.
    above:   the levels of every part before it, for the PartMismatch it may raise.
    """
    name, arguments = getattr(plan, kind), plan.arguments_of(kind)
    if kind == "backbone":
        _check_channels(name, arguments)
    build = builder(kind, name)
    _check_arguments(build, f"{kind} '{name}'", context, arguments)
    make: Callable[..., Any] = partial(backbone, name) if kind == "backbone" else build
    try:
        part = make(**context, **arguments)
    except ContractError as error:
        raise PartMismatch(kind, above or {}, error) from error
    except ZooError:
        raise
    except Exception as error:  # whatever a plugin's builder raises
        raise PartMismatch(kind, above or {}, _in_its_own_words(kind, name, error)) from error
    _check_part(part, kind, name)
    return part


def _check_channels(name: str, arguments: Mapping[str, object]) -> None:
    """Raises: UsageError for a backbone that does not take RGB images."""
    channels = arguments.get("in_chans", RGB_CHANNELS)
    if channels != RGB_CHANNELS:
        raise UsageError(
            f"The backbone '{name}' was given in_chans={channels!r:.80}.",
            "A detector sees three channels: images are read as RGB, grey ones too.",
            "Leave in_chans out.",
        )


def builder(kind: str, name: str) -> Callable[..., Any]:
    """The builder of a part; the name may omit the plugin if only one has a part of that name."""
    kinds: dict[str, Kind] = {"backbone": "backbones", "neck": "necks", "head": "heads"}
    return catalogue().builder(kinds[kind], name)


def _check_arguments(
    build: Callable[..., Any],
    part: str,
    context: Mapping[str, object],
    arguments: Mapping[str, object],
) -> None:
    signature = inspect.signature(build)
    parameters = [
        name
        for name, parameter in signature.parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY and name not in context
    ]
    takes = f"It takes {', '.join(parameters)}." if parameters else "It takes none."
    for name in arguments:
        if name in context or not (name in parameters or _takes_any(signature)):
            raise NameNotFound(
                f"The {part} was given the argument '{name}'.",
                "It has no argument of that name.",
                takes,
            )
    required = [
        name for name in parameters if signature.parameters[name].default is inspect.Parameter.empty
    ]
    missing = [name for name in required if name not in arguments]
    if missing:
        raise UsageError(
            f"The {part} can't be built.",
            f"It needs the argument '{missing[0]}'.",
            takes,
        )
    for name, case in type_mismatches(build, arguments):
        raise UsageError(f"The {part} was given {name}={arguments[name]!r:.80}.", f"{case}.", takes)


def _in_its_own_words(kind: str, name: str, error: Exception) -> ContractError:
    message = " ".join(str(error).split()) or "nothing more"
    return ContractError(
        f"The {kind} '{name}' can't be built.",
        f"It failed with {type(error).__name__}: {message}",
        "Ask its plugin what it takes.",
    )


def _takes_any(signature: inspect.Signature) -> bool:
    return any(
        parameter.kind is parameter.VAR_KEYWORD for parameter in signature.parameters.values()
    )


def _check_part(part: object, kind: str, name: str) -> None:
    members = ("defaults", "decode", "loss") if kind == "head" else ("levels",)
    missing = [member for member in members if not hasattr(part, member)]
    if isinstance(part, nn.Module) and not missing:
        return
    defect = f"which has no `{missing[0]}`" if missing else "which is not a torch.nn.Module"
    raise ContractError(
        f"The {kind} '{name}' was built.",
        f"Its plugin returned {words.type_name(part)}, {defect}.",
        f"In the plugin, return what zoo.contract.{kind.title()} describes.",
    )
