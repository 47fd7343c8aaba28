"""Parses simple command lines without Typer, for commands that have to answer at once.

Typer validates every parameter with pydantic, whose import takes as long as a whole listing; text
and flags don't need it. Anything else (help, a mistake, `--option=value`) is left to Typer, so that
help and errors come from one place.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, get_type_hints

from typer.models import ArgumentInfo, OptionInfo

TEXT_TYPES = (str, str | None)


def plain_call(function: Callable[..., object], words: Sequence[str]) -> dict[str, Any] | None:
    """The keyword arguments that the words after the command's name stand for, or None if Typer
    has to parse them."""
    try:
        arguments, options, flags = _parameters(function)
    except _NotPlain:
        return None
    call: dict[str, Any] = {}
    rest = iter(words)
    for word in rest:
        name = flags.get(word) or options.get(word) or (arguments.pop(0) if arguments else "")
        value = True if word in flags else next(rest, "-") if word in options else word
        if not name or name in call or str(value).startswith("-"):
            return None
        call[name] = value
    needed = [
        name
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.default is parameter.empty
    ]
    return call if all(name in call for name in needed) else None


class _NotPlain(Exception):
    """A parameter is neither text nor a flag."""


def _parameters(
    function: Callable[..., object],
) -> tuple[list[str], dict[str, str], dict[str, str]]:
    """Names of the arguments in order, and names of options and of flags by spelling."""
    arguments: list[str] = []
    options: dict[str, str] = {}
    flags: dict[str, str] = {}
    for name, hint in get_type_hints(function, include_extras=True).items():
        if name == "return":
            continue
        kind, info = (
            getattr(hint, "__origin__", hint),
            next(iter(getattr(hint, "__metadata__", ())), None),
        )
        if isinstance(info, ArgumentInfo) and kind in TEXT_TYPES:
            arguments.append(name)
        elif isinstance(info, OptionInfo) and (kind in TEXT_TYPES or kind is bool):
            # Option's first parameter may be its default or a spelling
            declared = (info.default, *(info.param_decls or ()))
            spellings = [text for text in declared if isinstance(text, str)]
            spellings = spellings or [f"--{name.replace('_', '-')}"]
            (flags if kind is bool else options).update(dict.fromkeys(spellings, name))
        else:
            raise _NotPlain
    return arguments, options, flags
