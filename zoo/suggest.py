"""Did you mean …?: the known names nearest to a mistyped one, and settings that take only some."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

from zoo.errors import UsageError

_LETTERS = re.compile(r"[^\W\d_]+")


def close_matches(asked: str, known: Iterable[str], *, most: int = 3) -> list[str]:
    """The closest of the known names, likeliest first: those that look like it, then those that
    contain it.

    Case does not matter; the names come back as they are spelled.
    """
    from difflib import get_close_matches  # deferred: only mistakes need it

    wanted, names = asked.casefold(), {name.casefold(): name for name in sorted(set(known))}
    alike = get_close_matches(wanted, names, n=most, cutoff=0.7)
    within = [name for name in names if len(wanted) > 2 and wanted in name and name not in alike]
    return [names[name] for name in [*alike, *within][:most]]


def close_prefix(asked: str, known: Iterable[str]) -> str | None:
    """The beginning of known names, up to the first `_`, `-` or digit, most like that of
    `asked`."""
    beginnings = {_beginning(name) for name in known} - {""}
    return next(iter(close_matches(_beginning(asked), beginnings, most=1)), None)


def close_family(asked: str, known: Iterable[str], *, most: int = 3) -> list[str]:
    """The first known names whose beginning `asked` is a typing error of, in their own order.

    The error is as far from each of them, and the first is the family's usual one.
    """
    names = list(known)
    beginning = close_prefix(asked, names) if _beginning(asked) == asked.casefold() else None
    if beginning is None or beginning == asked.casefold() or beginning in names:
        return []
    return [name for name in names if _beginning(name) == beginning][:most]


def _beginning(name: str) -> str:
    match = _LETTERS.match(name.casefold())
    return match[0] if match else ""


def join_or(names: Iterable[str]) -> str:
    """`'a', 'b' or 'c'`."""
    quoted = [f"'{name}'" for name in names]
    return " or ".join(filter(None, [", ".join(quoted[:-1]), quoted[-1] if quoted else ""]))


def check_choice(name: str, value: object, choices: Sequence[str], *, asked: str = "") -> None:
    """Raises: UsageError that says what there is, and what was probably meant, for a value that is
    none of the choices.

    asked: the error's first sentence; by default that `name=value` can't be used.
    """
    if isinstance(value, str) and value in choices:
        return
    meant = close_matches(value, choices, most=1) if isinstance(value, str) else []
    fix = (
        f"Did you mean {join_or(meant)}?"
        if meant
        else "Choose one of them."
        if len(choices) > 1
        else f"Write {choices[0]!r}."
    )
    raise UsageError(
        asked or f"{name}={value!r} can't be used.", f"'{name}' is {join_or(choices)}.", fix
    )


def check_choices(settings: object) -> None:
    """Checks every field of a dataclass that is declared as a `Literal`: a typo would switch off
    what the field stands for.

    Raises: UsageError.
    """
    kind: Any = type(settings)
    for name, choices in _choices(kind).items():
        value = getattr(settings, name)
        check_choice(
            name, value, choices, asked=f"{kind.__name__}({name}={value!r}) can't be used."
        )


@cache
def _choices(kind: Any) -> dict[str, tuple[str, ...]]:
    return {
        name: get_args(hint)
        for name, hint in get_type_hints(kind).items()
        if get_origin(hint) is Literal
    }
