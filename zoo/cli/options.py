"""Options that every command has which runs a model: which weights, on what, how many pictures at
once."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

import typer

from zoo.errors import CardError, UsageError
from zoo.registry.yaml_document import parse_value
from zoo.weights.resolve import RANDOM

Weights: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="WHICH",
        help="A tag, file:PATH, hub:org/repo@REVISION, or random; else the card's own.",
    ),
]
Device: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--device", metavar="DEVICE", help="cpu, cuda, cuda:1, mps; else torch's default."
    ),
]
BatchSize: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="COUNT|auto",
        help="Images at once; auto, unless given, is what fits the device's memory.",
    ),
]


def weights_of(text: str | None) -> bool | str:
    """`--weights` as `zoo.load` takes it: nothing is the card's own, `random` is none. Raises:
    UsageError for an empty text."""
    if text is not None and not text.strip():
        fix = (
            "Leave it out for the card's own, or write --weights random, a tag, file:PATH or "
            "hub:org/repo."
        )
        raise UsageError(f"--weights '{text}' was given.", "That names no weights.", fix)
    if text is None:
        return True
    return False if text == RANDOM else text


def batch_size_of(text: str | None) -> int | Literal["auto"]:
    """`--batch-size` as `zoo.predict` takes it. Raises: UsageError for what is no number of images,
    at least 1, nor auto."""
    if text is None or text == "auto":
        return "auto"
    if not text.isdecimal() or not text.isascii() or len(text) > 9 or int(text) < 1:
        case = "It is a number of images, at least 1, or auto for what fits."
        raise UsageError(
            f"--batch-size {text:.40} was given.", case, "Write --batch-size 8, for example."
        )
    return int(text)


def value_of(setting: str, text: str) -> Any:
    """The value in `--set NAME=VALUE`, read as the field of a card. Raises: UsageError where it is
    no YAML, or too deep."""
    try:
        return parse_value(text.encode(errors="replace"), "--set")
    except CardError as error:
        raise UsageError(f"--set {setting:.60} was given.", error.case, error.fix) from error
