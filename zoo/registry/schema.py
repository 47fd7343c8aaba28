"""The schema at work: plain data becomes a struct, or a CardError that names file, line and field
of the first thing wrong."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, Literal, TypeVar, get_args, get_origin

import msgspec

from zoo.errors import CardError
from zoo.registry import card as structs
from zoo.registry.card import (
    COMMIT,
)
from zoo.registry.extensions import without_extensions
from zoo.registry.yaml_document import Sheet, Step
from zoo.suggest import close_matches

NAME = r"[a-z0-9][a-z0-9_-]*"
DISTRIBUTION = (
    r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,98}[A-Za-z0-9])?$"  # it is printed after `pip install`
)
MODEL_NAME = re.compile(rf"({NAME}/)?{NAME}(\.{NAME})?")
_NAME = re.compile(NAME)
_TRAIL = re.compile(r" - at (?P<key>`?key`? in )?`\$(?P<steps>[^`]*)`$")
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]|\[(\.\.\.)\]")
T = TypeVar("T")

# What the patterns of the structs stand for.
PATTERNS = {
    r"^[0-9a-f]{8,64}$": "a sha256: 64 lower-case hex digits, or the first 8 or more of them",
    r"^[0-9a-f]{64}$": "a sha256: 64 lower-case hex digits",
    r"^[\w.-]+/[\w.-]+$": "a repository, as in 'org/repo'",
    r"^https?://": "an http or https address",
    DISTRIBUTION: "the name of a distribution, as in 'detzoo-acme'",
    r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$": "a package as Python imports it, as in 'acme_weights'",
}
WORDS = {  # msgspec's names of types
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "text",
    "array": "a list",
    "object": "a mapping",
}
_TYPES = re.compile(r"`([^`]*)`")


def convert(sheet: Sheet, data: Any, kind: type[T], *, at: tuple[Step, ...] = ()) -> T:
    """`data`, which stands at the steps `at` of the sheet, as a `kind`."""
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError:
        data = without_extensions(data, kind)
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        raise _explained(sheet, data, kind, at, str(error)) from None


def check_name(sheet: Sheet, name: str, *, at: Sequence[Step]) -> None:
    """Refuses a name (of a model, alias, tag or plugin) that could not be typed as part of
    `plugin/name.tag`."""
    if not _NAME.fullmatch(name):
        case = f"'{name:.40}' is not a name: lower-case letters, digits, - and _ only."
        raise sheet.flaw(case, "Rename it, for example 'my_model_1'.", at=at)


def _explained(
    sheet: Sheet, data: Any, kind: type[Any], at: tuple[Step, ...], message: str
) -> CardError:
    trail = _TRAIL.search(message)
    steps = _exact(data, kind, message, trail["steps"] if trail else "")
    case = _TRAIL.sub("", message)
    if trail and trail["key"]:
        return sheet.flaw("A key is not text.", "Quote it.", at=(*at, *steps))
    if unknown := re.fullmatch(r"Object contains unknown field `(.*)`", case):
        near = [
            name for name in close_matches(unknown[1], _fields(kind)) if name != unknown[1]
        ]  # that one belongs elsewhere
        fix = (
            f"Did you mean '{near[0]}'?"
            if near
            else f"Remove it; the fields are listed in {sheet.guide}."
        )
        return sheet.flaw(
            f"There is no field '{unknown[1]:.40}' here.", fix, at=(*at, *steps, unknown[1])
        )
    if missing := re.fullmatch(r"Object missing required field `(.*)`", case):
        choices = _choices(kind, [missing[1]])
        value = choices[0] if len(choices) == 1 else "…"
        return sheet.flaw(
            f"The field '{missing[1]}' is missing.",
            f"Add `{missing[1]}: {value}`.",
            at=(*at, *steps),
        )
    value = _follow(data, steps)
    if case.endswith(f"regex '{COMMIT}'"):
        return _no_commit(sheet, str(value), _follow(data, steps[:-1]), at=(*at, *steps))
    quote = case.startswith("Expected `str") and isinstance(value, int | float)
    fix = "Quote it to make it text." if quote else f"The fields are described in {sheet.guide}."
    if case.startswith("Invalid enum value") and (choices := _choices(kind, steps)):
        return sheet.flaw(
            f"{value!r:.60} is none of those that there are.",
            f"Write {' or '.join(choices)}.",
            at=(*at, *steps),
        )
    return sheet.flaw(f"{plainly(case, value)}.", fix, at=(*at, *steps))


def plainly(case: str, value: object = None) -> str:
    """Rewrites a message of msgspec: types and patterns by what they stand for, with the value if
    short."""
    shown = "" if value is None or isinstance(value, dict | list) else f" {value!r:.60}"
    if match := re.search(r"matching regex '(.*)'", case):
        pattern = match[1].replace("\\\\", "\\")
        return f"The value{shown} is not {PATTERNS.get(pattern, 'of the form that is wanted')}"
    return _TYPES.sub(_in_words, case) + (f":{shown}" if shown else "")


def _in_words(types: re.Match[str]) -> str:
    return " or ".join(WORDS.get(name, name) for name in types[1].split(" | "))


def _no_commit(sheet: Sheet, value: str, source: Any, *, at: Sequence[Step]) -> CardError:
    """A branch, tag or short commit where the whole of a commit is wanted; `source` is what has
    it."""
    repo = source.get("repo") if isinstance(source, dict) else None
    where = (
        f"Copy one from https://huggingface.co/{repo}/commits/main"
        if repo
        else "Copy one from the repository's history"
    )
    case = (
        f"'{value:.40}' is not a full commit id, 40 hex digits; branches and tags move, and a "
        f"card names what never changes."
    )
    return sheet.flaw(case, where, at=at)


def _exact(data: Any, kind: type[Any], message: str, trail: str) -> list[Step]:
    """msgspec's path with each `[...]` replaced by the key it stands for: the one whose value alone
    gives the same message."""
    steps: list[Step] = []
    for name, index, wild in _STEP.findall(trail):
        if not wild:
            steps.append(name or int(index))
            continue
        key = next(
            (key for key, trial in _alone(data, steps) if _message(trial, kind) == message), None
        )
        if key is None:
            break
        steps.append(key)
    return steps


def _alone(data: Any, steps: list[Step]) -> Iterator[tuple[str, Any]]:
    """Each key of the mapping at `steps`, with `data` as it would be if that mapping had this key
    only."""
    mapping = _follow(data, steps)
    for key in mapping:
        yield key, _replaced(data, steps, {key: mapping[key]})


def _replaced(data: Any, steps: list[Step], value: Any) -> Any:
    if not steps:
        return value
    copy = data.copy()
    copy[steps[0]] = _replaced(data[steps[0]], steps[1:], value)
    return copy


def _follow(data: Any, steps: Sequence[Step]) -> Any:
    for step in steps:
        data = data[step]
    return data


def _message(data: Any, kind: type[Any]) -> str:
    try:
        msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        return str(error)
    return ""


def _fields(kind: type[Any]) -> list[str]:
    """The fields of this struct and of every struct of its module and of a card's."""
    return sorted({field for struct in _structs(kind) for field in struct.__struct_fields__})


def _choices(kind: type[Any], steps: Sequence[Step]) -> list[str]:
    """The choices of the field at the end of the steps, if it is a `Literal`."""
    fields = [field for struct in _structs(kind) for field in msgspec.structs.fields(struct)]
    hints = [
        field.type
        for field in fields
        if steps and field.encode_name == steps[-1] and get_origin(field.type) is Literal
    ]
    return [repr(choice) for choice in dict.fromkeys(chain.from_iterable(map(get_args, hints)))]


def _structs(kind: type[Any]) -> list[type[msgspec.Struct]]:
    """This struct, and every one of its module and of a card's."""
    near_by = [*vars(sys.modules[kind.__module__]).values(), *vars(structs).values()]
    return [
        candidate
        for candidate in (kind, *near_by)
        if isinstance(candidate, type) and issubclass(candidate, msgspec.Struct)
    ]
