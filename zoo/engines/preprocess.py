"""The preprocessing of an exported file: described in the file, and restored from the family's."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import msgspec

from zoo.contract import Preprocess
from zoo.errors import CardError


def describe(preprocess: Preprocess) -> dict[str, Any]:
    """Type, size and settings of a preprocessing, as values of JSON."""
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


def restore(own: Preprocess, facts: dict[str, Any], file: Path) -> Preprocess:
    """The family's preprocessing at the size that the file was exported with.

    Raises: CardError if it differs from the file's description.
    """
    first, second = facts["size"]
    preprocess = own if list(own.size) == [first, second] else own.at((first, second))
    if describe(preprocess) != facts:
        raise CardError(
            f"The exported file '{file}' can't be used.",
            f"It was made with the preprocessing {facts}, and the family's is "
            f"{describe(preprocess)}.",
            "Export it again with this version of the family's plugin.",
        )
    return preprocess
