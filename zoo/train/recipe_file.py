"""Reads and writes recipes as YAML, and overrides such as `optimizer.lr=1e-3`; errors name the
field."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from zoo.errors import CardError, UsageError
from zoo.files import write_errors, write_file
from zoo.registry import yaml_document
from zoo.registry.schema import convert
from zoo.registry.yaml_document import Sheet
from zoo.registry.yaml_writer import dump
from zoo.train.recipe import Recipe

AUTO = "auto"  # a batch size


def read_recipe(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Reads and checks the fields in a YAML file. Raises: UsageError naming file, line and
    field."""
    file = Path(path)
    failure = f"The recipe '{file}' can't be used."
    try:
        raw = yaml_document.read(file)
        fields = yaml_document.parse(raw, file).data
        convert(Sheet(file, raw), _without_auto(fields), Recipe)
    except CardError as error:
        raise UsageError(failure, error.case, error.fix) from error
    return fields


def overrides(settings: Iterable[str]) -> dict[str, Any]:
    """The fields that settings such as `optimizer.lr=1e-3` set. Raises: UsageError naming the
    field."""
    fields: dict[str, Any] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        steps = [step.strip() for step in name.split(".")]
        failure = f"--set {setting:.80} can't be used."
        if not equals or not all(steps):
            raise UsageError(
                failure, "It sets no field.", "Write for example --set optimizer.lr=1e-3"
            )
        try:
            value = yaml_document.parse_value(text.encode(errors="replace"), "--set")
        except CardError as error:
            raise UsageError(failure, error.case, error.fix) from error
        for step in reversed(steps):
            value = {step: value}
        check_fields(value, failure=failure)
        fields = merge(fields, value)
    return fields


def check_fields(fields: Mapping[str, Any], *, failure: str) -> None:
    """Raises: UsageError naming an unknown field, or one with an invalid value."""
    try:
        convert(Sheet(Path("recipe")), _without_auto(fields), Recipe)
    except CardError as error:
        raise UsageError(failure, error.case, error.fix) from error


def _without_auto(fields: Any) -> Any:
    """The fields without a batch size of `auto`, which only a run replaces by a number."""
    if isinstance(fields, Mapping) and fields.get("batch_size") == AUTO:
        return {name: value for name, value in fields.items() if name != "batch_size"}
    return fields


def merge(fields: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`fields` overridden by those of `over`; nested mappings are merged, lists replaced."""
    result = dict(fields)
    for name, value in over.items():
        old = result.get(name)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        result[name] = merge(old, value) if both else value  # type: ignore[arg-type]
    return result


def recipe_of(fields: Mapping[str, Any]) -> Recipe:
    """The recipe of these fields, with the defaults of `Recipe` for the others.

    Raises: UsageError for invalid fields, or fields that exclude each other.
    """
    failure = "The recipe can't be used."
    check_fields(fields, failure=failure)
    recipe = msgspec.convert(dict(fields), Recipe)
    if recipe.steps is not None and recipe.epochs is not None:
        raise UsageError(
            failure,
            f"It has steps: {recipe.steps} and epochs: {recipe.epochs:g}.",
            "Leave one of the two out.",
        )
    if recipe.batch_size < recipe.accumulate:
        raise UsageError(
            failure,
            f"batch_size is {recipe.batch_size}, and accumulate {recipe.accumulate}: each part of "
            "a step needs an image.",
            f"Write accumulate: {recipe.batch_size}, or less.",
        )
    _check_ranges(recipe, failure)
    return recipe


def _check_ranges(recipe: Recipe, failure: str) -> None:
    parts = {f"augment[{index}]": part for index, part in enumerate(recipe.augment)}
    for field, part in {"multi_scale": recipe.multi_scale, **parts}.items():
        low, high = getattr(part, "factors", (0, 0))
        if low > high:
            raise UsageError(
                failure,
                f"Field '{field}.factors': {low:g} is more than {high:g}.",
                f"Write [{high:g}, {low:g}].",
            )


def fields_of(recipe: Recipe) -> dict[str, Any]:
    """The recipe as plain data, with all fields in their order."""
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(recipe))
    return plain


def to_yaml(recipe: Recipe) -> str:
    """The recipe as YAML, from which `read_recipe` reads an equal one."""
    return dump(fields_of(recipe))


def write_recipe(recipe: Recipe, path: str | os.PathLike[str]) -> None:
    """Writes the recipe as YAML, completely or not at all. Raises: UsageError if that fails."""
    with write_errors(path, UsageError, fix="Choose another folder with --to."):
        write_file(path, to_yaml(recipe))


def difference(first: Recipe, other: Recipe) -> list[str]:
    """The fields in which two recipes differ, as `optimizer.lr: 0.01, not 0.001`."""
    return _difference(fields_of(first), fields_of(other), "")


def _difference(first: Any, other: Any, at: str) -> list[str]:
    if isinstance(first, Mapping) and isinstance(other, Mapping):
        names = dict.fromkeys((*first, *other))
        return [
            line
            for name in names
            for line in _difference(first.get(name), other.get(name), f"{at}.{name}".lstrip("."))
        ]
    return [] if first == other else [f"{at}: {first}, not {other}"]
