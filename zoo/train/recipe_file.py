"""Recipes as YAML, and overrides like `optimizer.lr=1e-3`; every error names the field."""

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
from zoo.train.recipe import Recipe

AUTO = "auto"  # a batch size


def read_recipe(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The fields that a YAML file gives, checked. Raises: UsageError naming file, line and
    field."""
    place = Path(path)
    asked = f"The recipe '{place}' can't be used."
    try:
        raw = yaml_document.read(place)
        fields = yaml_document.parse(raw, place).data
        convert(Sheet(place, raw), _found(fields), Recipe)
    except CardError as error:
        raise UsageError(asked, error.case, error.fix) from error
    return fields


def overrides(settings: Iterable[str]) -> dict[str, Any]:
    """The fields that texts such as `optimizer.lr=1e-3` set. Raises: UsageError naming the
    field."""
    fields: dict[str, Any] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        steps = [step.strip() for step in name.split(".")]
        asked = f"--set {setting:.80} can't be used."
        if not equals or not all(steps):
            raise UsageError(
                asked, "It sets no field.", "Write for example --set optimizer.lr=1e-3"
            )
        try:
            value = yaml_document.parse_value(text.encode(errors="replace"), "--set")
        except CardError as error:
            raise UsageError(asked, error.case, error.fix) from error
        for step in reversed(steps):
            value = {step: value}
        check_fields(value, asked=asked)
        fields = merged(fields, value)
    return fields


def check_fields(fields: Mapping[str, Any], *, asked: str) -> None:
    """Raises: UsageError naming a field that a recipe has not, or whose value can't be."""
    try:
        convert(Sheet(Path("recipe")), _found(fields), Recipe)
    except CardError as error:
        raise UsageError(asked, error.case, error.fix) from error


def _found(fields: Any) -> Any:
    """The fields as a run has them, which finds a batch size that is `auto`."""
    if isinstance(fields, Mapping) and fields.get("batch_size") == AUTO:
        return {name: value for name, value in fields.items() if name != "batch_size"}
    return fields


def merged(fields: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`fields` with those of `over` in their place; mappings within are merged, lists replaced."""
    result = dict(fields)
    for name, value in over.items():
        old = result.get(name)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        result[name] = merged(old, value) if both else value  # type: ignore[arg-type]
    return result


def recipe_of(fields: Mapping[str, Any]) -> Recipe:
    """The recipe of checked fields, defaults of the structs for the others.

    Raises: UsageError for fields that can't be, alone or together.
    """
    asked = "The recipe can't be used."
    check_fields(fields, asked=asked)
    recipe = msgspec.convert(dict(fields), Recipe)
    if recipe.steps is not None and recipe.epochs is not None:
        raise UsageError(
            asked,
            f"It has steps: {recipe.steps} and epochs: {recipe.epochs:g}.",
            "Leave one of the two out.",
        )
    if recipe.batch_size < recipe.accumulate:
        raise UsageError(
            asked,
            f"batch_size is {recipe.batch_size}, and accumulate {recipe.accumulate}: a part of a "
            "step has an image at least.",
            f"Write accumulate: {recipe.batch_size}, or less.",
        )
    _check_ranges(recipe, asked)
    return recipe


def _check_ranges(recipe: Recipe, asked: str) -> None:
    parts = {f"augment[{place}]": part for place, part in enumerate(recipe.augment)}
    for place, part in {"multi_scale": recipe.multi_scale, **parts}.items():
        low, high = getattr(part, "factors", (0, 0))
        if low > high:
            raise UsageError(
                asked,
                f"Field '{place}.factors': {low:g} is more than {high:g}.",
                f"Write [{high:g}, {low:g}].",
            )


def fields_of(recipe: Recipe) -> dict[str, Any]:
    """The recipe as plain data, every field in its order."""
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(recipe))
    return plain


def to_yaml(recipe: Recipe) -> str:
    """The recipe as YAML that `read_recipe` reads back to an equal one."""
    return yaml_of(fields_of(recipe))


def yaml_of(document: Mapping[str, Any]) -> str:
    """Plain data as YAML, in its own order."""
    import yaml  # deferred: reading does without most of the time

    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)


def write_recipe(recipe: Recipe, path: str | os.PathLike[str]) -> None:
    """Writes the recipe as YAML, whole or not at all. Raises: UsageError where that fails."""
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
