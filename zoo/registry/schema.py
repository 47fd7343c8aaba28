"""The schema at work: plain data becomes a struct, or a CardError that names file, line and field
of the first thing wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec

from zoo.errors import CardError
from zoo.registry.card import (
    COMMIT,
)
from zoo.registry.extensions import without_extensions
from zoo.registry.struct_types import fields_at, words_at
from zoo.registry.yaml_document import Sheet, Step, spell
from zoo.suggest import close_matches, did_you_mean, join_or, suggest

NAME_PATTERN = r"[a-z0-9][a-z0-9_-]*"
# It is printed after `pip install`.
DISTRIBUTION = r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,98}[A-Za-z0-9])?$"
MODEL_NAME = re.compile(rf"({NAME_PATTERN}/)?{NAME_PATTERN}(\.{NAME_PATTERN})?")
_NAME = re.compile(NAME_PATTERN)
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
        raise _flaw(sheet, data, kind, at, str(error)) from None


def check_name(sheet: Sheet, name: str, *, at: Sequence[Step]) -> None:
    """Refuses a name (of a model, alias, tag or plugin) that could not be typed as part of
    `plugin/name.tag`."""
    if not _NAME.fullmatch(name):
        case = f"'{name:.40}' is not a name: lower-case letters, digits, - and _ only."
        raise sheet.flaw(case, "Rename it, for example 'my_model_1'.", at=at)


def in_words(data: Any, kind: type[Any], error: msgspec.ValidationError) -> tuple[str, str]:
    """The case and the fix for data that is not a `kind`, where there is no sheet to name."""
    fault = _fault(data, kind, str(error))
    where = spell(fault.steps)
    return f"Field '{where}': {fault.case}" if where else fault.case, fault.fix


def _flaw(
    sheet: Sheet, data: Any, kind: type[Any], at: tuple[Step, ...], message: str
) -> CardError:
    fault = _fault(data, kind, message)
    return sheet.flaw(fault.case, fault.fix, at=(*at, *fault.steps))


class _Fault(NamedTuple):
    """The first thing wrong: the steps to its field, what is the case, and what to write."""

    steps: tuple[Step, ...]
    case: str
    fix: str


def _fault(data: Any, kind: type[Any], message: str) -> _Fault:
    trail = _TRAIL.search(message)
    steps = tuple(_exact(data, kind, message, trail["steps"] if trail else ""))
    case = _TRAIL.sub("", message)
    if trail and trail["key"]:
        return _Fault(steps, "A key is not text.", "Quote it.")
    if unknown := re.fullmatch(r"Object contains unknown field `(.*)`", case):
        text = f"There is no field '{unknown[1]:.40}' here."
        return _Fault((*steps, unknown[1]), text, _known_fields(data, kind, steps, unknown[1]))
    if missing := re.fullmatch(r"Object missing required field `(.*)`", case):
        return _missing(data, kind, steps, missing[1])
    value = _follow(data, steps)
    if case.endswith(f"regex '{COMMIT}'"):
        return _Fault(steps, *_no_commit(str(value), _follow(data, steps[:-1])))
    if case.startswith("Invalid ") and (words := words_at(kind, data, steps)):
        near = close_matches(value, words, most=1) if isinstance(value, str) else []
        fix = f"{suggest(near, otherwise='')} Write {join_or(words)}.".lstrip()
        return _Fault(steps, f"{value!r:.60} is not one of the choices.", fix)
    quote = case.startswith("Expected `str") and isinstance(value, int | float)
    fix = "Quote it to make it text." if quote else "Correct the value."
    return _Fault(steps, f"{plainly(case, value)}.", fix)


def _known_fields(data: Any, kind: type[Any], steps: Sequence[Step], unknown: str) -> str:
    """The fix for an unknown field: the field it may have meant, or those there are."""
    fields = fields_at(kind, data, steps)
    listing = f"Remove it; the fields here are {', '.join(fields)}." if fields else "Remove it."
    return did_you_mean(unknown, fields, otherwise=listing, most=1)


def _missing(data: Any, kind: type[Any], steps: tuple[Step, ...], name: str) -> _Fault:
    words = words_at(kind, data, (*steps, name))
    value = words[0] if len(words) == 1 else "…"
    more = f" It is {join_or(words)}." if len(words) > 1 else ""
    return _Fault(steps, f"The field '{name}' is missing.", f"Add `{name}: {value}`.{more}")


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


def _no_commit(value: str, source: Any) -> tuple[str, str]:
    """The case and the fix for a branch, tag or short commit where the whole of a commit is wanted;
    `source` is what has it."""
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
    return case, where


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
        yield key, _with_value(data, steps, {key: mapping[key]})


def _with_value(data: Any, steps: list[Step], value: Any) -> Any:
    if not steps:
        return value
    copy = data.copy()
    copy[steps[0]] = _with_value(data[steps[0]], steps[1:], value)
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
