"""The fields that `--where` knows, and where each is read from a row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from zoo.registry.summary import CardSummary

Value = str | float | None


@dataclass(frozen=True)
class Field:
    """One field of a row.

    read:  its values; most fields have one, and None is unknown.
    holds: of several values, whether a comparison has to hold of any one, or of both alike.
    """

    kind: Literal["number", "text", "license", "labels"]
    read: Callable[[CardSummary], tuple[Value, ...]]
    holds: Literal["any", "both"] = "any"


FIELDS: dict[str, Field] = {
    "name": Field("text", lambda row: (row.name, row.qualified)),
    "plugin": Field("text", lambda row: (row.plugin,)),
    "architecture": Field(
        "text", lambda row: (row.architecture, row.architecture.partition("/")[2])
    ),
    "family": Field("text", lambda row: (row.family,)),
    "AP": Field("number", lambda row: (row.ap,)),
    "AP50": Field("number", lambda row: (row.ap50,)),
    "params": Field("number", lambda row: (row.parameters,)),
    "gflops": Field("number", lambda row: (row.gflops,)),
    "megabytes": Field("number", lambda row: (row.megabytes,)),
    "input": Field("number", lambda row: (max(row.size) if row.size else None,)),
    "classes": Field("number", lambda row: (row.classes,)),
    "class": Field("text", lambda row: row.class_names),
    "labels": Field("labels", lambda row: (row.labels,)),
    "tags": Field("text", lambda row: row.tags),
    "license": Field("license", lambda row: (row.code_license, row.weights_license), holds="both"),
    "code_license": Field("license", lambda row: (row.code_license,)),
    "weights_license": Field("license", lambda row: (row.weights_license,)),
}
SYNONYMS = {
    "licence": "license",
    "code_licence": "code_license",
    "weights_licence": "weights_license",
    "parameters": "params",
}
