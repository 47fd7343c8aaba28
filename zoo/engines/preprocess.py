"""The preprocessing of an exported file: said in it, and made again of the family's own."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import msgspec

from zoo.contract import Preprocess
from zoo.errors import CardError


def described(preprocess: Preprocess) -> dict[str, Any]:
    """Type, size and settings of a preprocessing, as JSON can say them."""
    kind = type(preprocess)
    settings: dict[str, Any] = {}
    if dataclasses.is_dataclass(preprocess):
        fields = {
            field.name: getattr(preprocess, field.name) for field in dataclasses.fields(preprocess)
        }
        settings = json.loads(msgspec.json.encode(fields, enc_hook=repr))
    return {
        "type": f"{kind.__module__}:{kind.__qualname__}",
        "size": list(preprocess.size),
        "settings": settings,
    }


def restored(own: Preprocess, facts: dict[str, Any], file: Path) -> Preprocess:
    """The family's preprocessing at the size that the file was exported with.

    Raises: CardError where it is not what the file was made with.
    """
    first, second = facts["size"]
    made = own if list(own.size) == [first, second] else own.at((first, second))
    if described(made) != facts:
        raise CardError(
            f"The exported file '{file}' can't be used.",
            f"It was made with the preprocessing {facts}, and the family's is {described(made)}.",
            "Export it again with this version of the family's plugin.",
        )
    return made
