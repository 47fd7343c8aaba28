"""Options that every command has which runs a model: which weights, on what, how many pictures at once."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from zoo.errors import UsageError
from zoo.hub.choice import RANDOM

Weights: TypeAlias = Annotated[
    str | None, typer.Option(metavar="WHICH", help="A tag, file:PATH, hub:org/repo@REVISION, or random; else the card's own.")
]
Device: TypeAlias = Annotated[str | None, typer.Option(metavar="DEVICE", help="cpu, cuda, cuda:1, mps; else torch's default.")]
BatchSize: TypeAlias = Annotated[int | None, typer.Option(metavar="COUNT", min=1, help="Pictures at once; else what fits.")]


def weights_of(text: str | None) -> bool | str:
    """`--weights` as `zoo.load` takes it: nothing is the card's own, `random` is none. Raises: UsageError for an empty text."""
    if text is not None and not text.strip():
        fix = "Leave it out for the card's own, or write --weights random, a tag, file:PATH or hub:org/repo."
        raise UsageError(f"--weights '{text}' was given.", "That names no weights.", fix)
    if text is None:
        return True
    return False if text == RANDOM else text
