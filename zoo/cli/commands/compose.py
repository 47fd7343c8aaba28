"""`zoo compose`: draws a detector composed of parts, or prints a registry file with its card."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer
from msgspec import structs

from zoo.cli import output
from zoo.cli.options import LABELS, labels_of, value_of
from zoo.errors import UsageError
from zoo.registry.card import Input
from zoo.registry.schema import NAME_PATTERN
from zoo.registry.yaml_writer import dump

if TYPE_CHECKING:
    from zoo.detectors import Composed

Neck: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="PART", help="The same for the neck; without one the head is on the backbone."
    ),
]
PartArguments: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="PART.NAME=VALUE",
        help="An argument of a part, as in neck.channels=64; repeatable.",
    ),
]


def compose(
    backbone: Annotated[
        str, typer.Option(metavar="PART", help="plugin/name, or name where only one plugin has it.")
    ],
    head: Annotated[str, typer.Option(metavar="PART", help="The same for the head.")],
    labels: Annotated[str, typer.Option(metavar="NAMES", help=LABELS)],
    neck: Neck = None,
    strides: Annotated[
        str,
        typer.Option(
            "--strides", metavar="STRIDES", help="Strides of the backbone's maps, finest first."
        ),
    ] = "8,16,32",
    argument: PartArguments = None,
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="What the card is to be called.")
    ] = "composed",
    show: Annotated[
        bool, typer.Option("--show", help="Draw the pipeline instead, with channels and strides.")
    ] = False,
) -> None:
    """Compose a detector of a backbone, a neck and a head, and print its card.

    Parts that do not fit are an error that draws the seam. To keep the card: zoo compose … >
    mine.yaml; ZOO_REGISTRY=mine.yaml makes it a model.
    """
    from zoo.detectors.compose import compose as compose_parts
    from zoo.detectors.composed import describe

    if not re.fullmatch(NAME_PATTERN, name):
        case = "Names of models have lower-case letters, digits, - and _ only."
        raise UsageError(f"--name '{name:.60}' was given.", case, "Write --name my_detector")
    arguments = _arguments(argument or [])
    detector = compose_parts(
        backbone=backbone,
        neck=neck,
        head=head,
        labels=labels_of(labels),
        strides=_strides(strides),
        backbone_arguments=arguments["backbone"],
        neck_arguments=arguments["neck"],
        head_arguments=arguments["head"],
    )
    page = describe(detector) if show else _registry_file(name, labels_of(labels), detector)
    output.lines(page.split("\n"))


def _registry_file(name: str, labels: str | list[str], detector: Composed) -> str:
    """A registry file with the detector's card."""
    card = {
        "architecture": "compose",
        "labels": labels,
        "parameters": sum(parameter.numel() for parameter in detector.parameters()),
        "input": _without_defaults(detector.preprocess.input),
        "arguments": detector.plan.settings(),
    }
    return dump({"schema": 2, "cards": {name: card}}, flow=None).rstrip()


def _without_defaults(rule: Input) -> dict[str, object]:
    """The fields of the input policy that differ from its defaults, and always resize and size."""
    plain = structs.asdict(Input(resize=rule.resize, size=rule.size))
    fields = structs.asdict(rule)
    return {
        field: value
        for field, value in fields.items()
        if field in ("resize", "size") or value != plain[field]
    }


def _strides(text: str) -> list[int]:
    if not re.fullmatch(r" *[1-9]\d{0,5} *(, *[1-9]\d{0,5} *)*", text, re.ASCII):
        case = "Strides are whole numbers, at least 1, with commas between."
        raise UsageError(f"--strides '{text:.40}' was given.", case, "Write --strides 8,16,32")
    return [int(stride) for stride in text.split(",")]


def _arguments(settings: Sequence[str]) -> dict[str, dict[str, Any]]:
    """`neck.channels=64` as `{"neck": {"channels": 64}}`; values are parsed as YAML."""
    arguments: dict[str, dict[str, Any]] = {"backbone": {}, "neck": {}, "head": {}}
    for setting in settings:
        target, equals, value = setting.partition("=")
        part, _, name = target.partition(".")
        if part not in arguments or not name or not equals:
            fix = "Write for example --set neck.channels=64"
            raise UsageError(f"--set {setting:.60} was given.", "It is not PART.NAME=VALUE.", fix)
        arguments[part][name] = value_of(setting, value)
    return arguments
