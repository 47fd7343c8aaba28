"""The fields that `--where` knows, and where each is read from a row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from zoo import labels
from zoo.errors import NameNotFound
from zoo.registry.row import Row

Value = str | float | None


@dataclass(frozen=True)
class Field:
    """One field of a row.

    read:  its values; most fields have one, and None is unknown.
    every: of several values, whether a comparison has to hold of every one; otherwise one is enough.
    """

    kind: Literal["number", "text", "license"]
    read: Callable[[Row], tuple[Value, ...]]
    every: bool = True


def _classes(row: Row) -> tuple[Value, ...]:
    if row.classes is not None:
        return (row.classes,)
    try:
        return (len(labels.get(row.labels)),)
    except NameNotFound:
        return (None,)


FIELDS: dict[str, Field] = {
    "name": Field("text", lambda row: (row.name, row.qualified), every=False),
    "plugin": Field("text", lambda row: (row.plugin,)),
    "architecture": Field("text", lambda row: (row.architecture, row.architecture.partition("/")[2]), every=False),
    "family": Field("text", lambda row: (row.family,)),
    "AP": Field("number", lambda row: (row.ap,)),
    "AP50": Field("number", lambda row: (row.ap50,)),
    "params": Field("number", lambda row: (row.parameters,)),
    "gflops": Field("number", lambda row: (row.gflops,)),
    "megabytes": Field("number", lambda row: (row.megabytes,)),
    "input": Field("number", lambda row: (max(row.size) if row.size else None,)),
    "classes": Field("number", _classes),
    "labels": Field("text", lambda row: (row.labels,)),
    "tags": Field("text", lambda row: row.tags, every=False),
    "license": Field("license", lambda row: (row.code_license, row.weights_license)),
    "code_license": Field("license", lambda row: (row.code_license,)),
    "weights_license": Field("license", lambda row: (row.weights_license,)),
}
SYNONYMS = {"licence": "license", "code_licence": "code_license", "weights_licence": "weights_license", "parameters": "params"}
