"""Options of a data set format: the text behind commas, as the types that its struct declares."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_type_hints

import msgspec
from msgspec import inspect

from zoo.environment import expand_home
from zoo.errors import DataError
from zoo.suggest import close_matches, join_or

DOUBLED_COMMA = "A comma of the path's own is written twice."
_MEANINGS = {
    inspect.StrType: "text",
    inspect.IntType: "a whole number",
    inspect.FloatType: "a number",
    inspect.BoolType: "'true' or 'false'",
    inspect.NoneType: "",
}


def convert_options(kind: type | None, texts: Mapping[str, str], failure: str, name: str) -> Any:
    """The options as the struct that a format declares; None for a format without.

    asked: what failed, as a sentence. name: the format, for messages.
    Raises: DataError naming the option, its type and the nearest one there is.
    """
    info: Any = None if kind is None else inspect.type_info(kind)
    fields = {field.name: field for field in info.fields} if info else {}
    unknown = [option for option in texts if option not in fields]
    if unknown:
        raise _unknown(unknown[0], fields, failure, name)
    if kind is None:
        return None
    hints = get_type_hints(kind, include_extras=True)
    values = {}
    for option, text in texts.items():
        try:
            values[option] = msgspec.convert(text, hints[option], strict=False, dec_hook=_path)
        except msgspec.ValidationError:
            raise _wrong(option, text, fields[option].type, failure) from None
    missing = [field for field in fields.values() if field.required and field.name not in texts]
    if missing:
        first = missing[0]
        raise DataError(
            failure,
            f"The format '{name}' needs the option '{first.name}'.",
            f"Add ,{first.name}= and {meaning(first.type) or 'its value'}.",
        )
    try:
        return kind(**values)
    except ValueError as error:
        raise DataError(failure, f"{error}".rstrip(".") + ".", "Correct that option.") from error


def meaning(kind: inspect.Type) -> str:
    """A type in words, as in `a whole number` or `'box' or 'refuse'`."""
    if isinstance(kind, inspect.Metadata):
        return meaning(kind.type)
    if isinstance(kind, inspect.LiteralType):
        return join_or(map(str, kind.values))
    if isinstance(kind, inspect.UnionType):
        return " or ".join(filter(None, map(meaning, kind.types)))
    if isinstance(kind, inspect.CustomType):
        return "a path" if kind.cls is Path else kind.cls.__name__
    return _MEANINGS.get(type(kind), "a value of another type")


def _unknown(
    option: str, fields: Mapping[str, inspect.Field], failure: str, name: str
) -> DataError:
    options = [f"{field.name} ({meaning(field.type)})" for field in fields.values()]
    suggestions = close_matches(option, fields)
    fix = f"Did you mean {join_or(suggestions)}?" if suggestions else "Correct it, or leave it out."
    case = f"The format '{name}' has no option '{option}'; it has {', '.join(options) or 'none'}."
    return DataError(failure, case, f"{fix} {DOUBLED_COMMA}")


def _wrong(option: str, text: str, kind: inspect.Type, failure: str) -> DataError:
    choices = _choices(kind)
    suggestions = close_matches(text, choices, most=1)
    fix = (
        f"Did you mean {join_or(suggestions)}?"
        if suggestions
        else f"Correct the value of '{option}'."
    )
    if isinstance(kind, inspect.Metadata | inspect.IntType | inspect.FloatType):
        limits = _limits(kind)
    else:
        limits = ""
    case = f"The option '{option}' is {meaning(kind)}{limits}, not '{text:.60}'."
    return DataError(failure, case, fix)


def _choices(kind: inspect.Type) -> list[str]:
    if isinstance(kind, inspect.UnionType):
        return [choice for part in kind.types for choice in _choices(part)]
    return list(map(str, kind.values)) if isinstance(kind, inspect.LiteralType) else []


def _limits(kind: inspect.Type) -> str:
    """`, at least 1`: the limits that a number is declared with."""
    if isinstance(kind, inspect.Metadata):
        return _limits(kind.type)
    words = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    limits = [(word, getattr(kind, name, None)) for name, word in words.items()]
    return "".join(f", {word} {limit}" for word, limit in limits if limit is not None)


def _path(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str):
        return expand_home(value)
    raise NotImplementedError(f"options can't be {kind.__name__}")
