"""`zoo list`: lists models as a table or as JSON.

With `--json`, a list of objects: name (unambiguous), plugin, architecture, family, AP and AP50 (of
the default weights, percent, claimed on COCO val2017), parameters, gflops, megabytes, input
{resize, size}, licenses {code, weights}, labels (the name of the label space, or `custom`), classes
(how many), tags, default; null is unknown. An empty list is not an error: the exit code is 0,
standard output is empty (or `[]`), and standard error gives the reason. `zoo.registry.query` has
the grammar of `--where`.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import typer

from zoo import environment
from zoo.cli import output
from zoo.cli.format import format_count, format_license, format_number, format_size, table
from zoo.errors import NameNotFound
from zoo.registry import CardSummary, Catalogue, catalogue
from zoo.registry.missing import NOBODY
from zoo.registry.plugin_calls import plugin_title
from zoo.registry.plugins import slowness
from zoo.suggest import close_matches, join_or
from zoo.text import is_are, pluralize

HEADER = ("name", "AP", "params", "input", "licence", "labels", "plugin")
NUMBERS = ("AP", "params", "input")


def list_models(
    pattern: Annotated[
        str,
        typer.Argument(
            help="Names to list, with * and ?; with a slash, plugin/name.", show_default=False
        ),
    ] = "*",
    where: Annotated[
        str | None,
        typer.Option(
            metavar="EXPR",
            help="Facts to ask for, such as 'AP > 40 and params < 30M and license = permissive'.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """List models by name and by what is known of them.

    AP is what the authors claim on COCO val2017; a dash is an unknown fact.

    Expressions know name, plugin, architecture, family, AP, AP50, params, gflops, megabytes, input
    (longer side), classes (how many), class (a name, as in class = person), labels (the label
    space, as in coco80), tags, code_license, weights_license and license; the signs = != < <= > >=
    ~ (a glob) and in; the words and, or, not and unknown; the suffixes K, M, G and B.

    A licence is an SPDX identifier or the word permissive. license is that of code and that of
    weights: license = permissive if both are, license != permissive if one is known not to be,
    license = unknown if one is unknown or both are. Anything else has to hold of both: if it holds
    of one alone, the model is left out and counted, like those of which the fact is unknown.
    """
    registry = catalogue()
    rows, unknown = registry.rows(pattern), 0
    if where is not None:
        from zoo.registry.query import parse  # deferred: the grammar costs more than the listing

        rows, unknown = parse(where).select(rows)
    if as_json:
        output.document(
            msgspec.json.format(msgspec.json.encode([_facts(*pair) for pair in rows])).decode()
        )
    elif rows:
        output.lines(_table(rows))
    else:
        output.line(_why_nothing(registry, pattern, where), err=True)
    if unknown:
        output.line(_left_out(unknown, where or ""), err=True)
    for info in registry.plugins:
        if slow := slowness(info):
            output.line(f"The {plugin_title(info)} is slow: {slow}", err=True)


def _left_out(unknown: int, where: str) -> str:
    """A sentence on the models for which `--where` is unknown."""
    reason = "a fact in the filter is unknown (null)"
    if "licen" in where.lower():
        reason += ", or holds of the licence of code or weights alone"
    return f"{pluralize(unknown, 'model')} {is_are(unknown)} left out because {reason}."


def _table(rows: list[tuple[str, CardSummary]]) -> list[str]:
    cells = [
        (
            name,
            format_number(row.ap),
            format_count(row.parameters),
            format_size(row.size, row.resize),
            format_license(row.code_license, row.weights_license),
            row.labels
            if row.listed is None
            else pluralize(len(row.class_names), "class", "classes"),
            row.plugin,
        )
        for name, row in rows
    ]
    return [*table(HEADER, cells, right=NUMBERS), "", f"{pluralize(len(rows), 'model')}."]


def _facts(name: str, row: CardSummary) -> dict[str, Any]:
    return {
        "name": name,
        "plugin": row.plugin,
        "architecture": row.architecture,
        "family": row.family,
        "AP": row.ap,
        "AP50": row.ap50,
        "parameters": row.parameters,
        "gflops": row.gflops,
        "megabytes": row.megabytes,
        "input": {"resize": row.resize, "size": row.size} if row.size else None,
        "licenses": {"code": row.code_license, "weights": row.weights_license},
        "labels": row.labels,
        "classes": row.classes,
        "tags": row.tags,
        "default": row.default,
    }


def _why_nothing(registry: Catalogue, pattern: str, where: str | None) -> str:
    """A sentence on why the list is empty, with advice."""
    if not any(info.status == "loaded" for info in registry.plugins) and not registry.names():
        if (setting := environment.plugins()) is not None:
            return (
                f"No plugin is loaded, so there are no models: ZOO_PLUGINS is '{setting}'. To "
                f"load all of them: unset ZOO_PLUGINS"
            )
        return "No plugin is loaded, so there are no models. See why: zoo plugins"
    if where is not None:
        return (
            f"No model matches '{pattern}' where {where}."
            if pattern != "*"
            else f"No model matches {where}."
        )
    if not set(pattern) & set("*?["):
        try:
            entry = registry.resolve(pattern).entry
        except NameNotFound as error:
            case = "" if error.case == NOBODY else f" {error.case}"
            return f"No model is listed as '{pattern}'.{case} {error.fix}"
        return f"'{pattern}' stands for '{entry.qualified}'. See it: zoo show {pattern}"
    alike = close_matches(pattern.strip("*?"), registry.names())
    advice = f"Did you mean {join_or(alike)}?" if alike else registry.listing_near(pattern)
    return f"No model's name matches '{pattern}'. {advice}"
