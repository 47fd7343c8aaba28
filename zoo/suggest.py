"""Suggests the known names nearest to a mistyped one, and checks settings that have choices."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

from zoo.errors import UsageError

_LETTERS = re.compile(r"[^\W\d_]+")
SHORT_LETTERS = 4  # of a name that is short


def did_you_mean(name: str, names: Iterable[str], *, otherwise: str, most: int = 3) -> str:
    """`Did you mean 'a' or 'b'?` of the names nearest to a mistyped one; `otherwise` if none is."""
    return suggest(close_matches(name, names, most=most), otherwise=otherwise)


def suggest(names: Iterable[str], *, otherwise: str) -> str:
    """`Did you mean 'a' or 'b'?` of these names; `otherwise` if there are none."""
    choices = join_or(names)
    return f"Did you mean {choices}?" if choices else otherwise


def close_matches(name: str, names: Iterable[str], *, most: int = 3) -> list[str]:
    """The names nearest to a mistyped one, likeliest first: those that look like it, then those
    that contain it. Ignores case; returns the names as they are spelled."""
    from difflib import get_close_matches  # deferred: only mistakes need it

    typed, spellings = name.casefold(), {each.casefold(): each for each in sorted(set(names))}
    likeness = 0.7 if len(typed) > SHORT_LETTERS else 0.6  # one letter of three may be wrong
    similar = get_close_matches(typed, spellings, n=most, cutoff=likeness)
    longer = [each for each in spellings if typed in each and each not in similar]
    if len(typed) > 2:
        similar += longer
    return [spellings[each] for each in similar[:most]]


def close_prefix(name: str, names: Iterable[str]) -> str | None:
    """The prefix of names, up to the first `_`, `-` or digit, most like that of `name`."""
    prefixes = {_prefix(each) for each in names} - {""}
    return next(iter(close_matches(_prefix(name), prefixes, most=1)), None)


def close_family(name: str, names: Iterable[str], *, most: int = 3) -> list[str]:
    """The first names, in their order, whose prefix `name` is a typing error of.

    All of them are equally near; the first is the family's usual one.
    """
    names = list(names)
    prefix = close_prefix(name, names) if _prefix(name) == name.casefold() else None
    if prefix is None or prefix == name.casefold() or prefix in names:
        return []
    return [each for each in names if _prefix(each) == prefix][:most]


def _prefix(name: str) -> str:
    match = _LETTERS.match(name.casefold())
    return match[0] if match else ""


def join_or(names: Iterable[str]) -> str:
    """`'a', 'b' or 'c'`."""
    quoted = [f"'{name}'" for name in names]
    return " or ".join(filter(None, [", ".join(quoted[:-1]), quoted[-1] if quoted else ""]))


def check_choice(name: str, value: object, choices: Sequence[str], *, failure: str = "") -> None:
    """Raises: UsageError with the choices, and the nearest one, for a value that is none of them.

    failure: the error's first sentence; by default that `name=value` can't be used.
    """
    if isinstance(value, str) and value in choices:
        return
    fix = "Choose one of them." if len(choices) > 1 else f"Write {choices[0]!r}."
    if isinstance(value, str):
        fix = did_you_mean(value, choices, otherwise=fix, most=1)
    raise UsageError(
        failure or f"{name}={value!r} can't be used.", f"'{name}' is {join_or(choices)}.", fix
    )


def check_choices(settings: object) -> None:
    """Checks every field of a dataclass that is declared as a `Literal`: with a typo the setting
    would have no effect.

    Raises: UsageError.
    """
    kind: Any = type(settings)
    for name, choices in _choices(kind).items():
        value = getattr(settings, name)
        check_choice(
            name, value, choices, failure=f"{kind.__name__}({name}={value!r}) can't be used."
        )


@cache
def _choices(kind: Any) -> dict[str, tuple[str, ...]]:
    return {
        name: get_args(hint)
        for name, hint in get_type_hints(kind).items()
        if get_origin(hint) is Literal
    }
