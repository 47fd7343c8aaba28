"""Refuses to run code that has changed on disk since this process imported it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache, partial
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from zoo.errors import UsageError

_CACHED = type(lru_cache(len))
# for each imported file: the SHA-256 of its content when first checked, and the import's spec
_SEEN: dict[str, tuple[str, object]] = {}


def check_fresh(contents: Mapping[Path, str]) -> None:
    """Raises: UsageError naming a file that has changed since it was imported.

    Predictions of old code would be stored under the fingerprint of the new one.
    contents: files of code, and the SHA-256 of each as it is now.
    """
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        now = contents.get(Path(file)) if isinstance(file, str) else None
        if now is not None and _is_old(module, str(file), now):
            raise UsageError(
                "Predictions can't be kept.",
                f"{file} has changed since this process imported it, and still runs as it was.",
                "Start Python again: predictions are kept under the code that made them.",
            )


def _is_old(module: ModuleType, file: str, now: str) -> bool:
    """Whether the content differs from the first check's, or then from the code that runs."""
    first, spec = _SEEN.get(file, ("", None))
    if spec is module.__spec__:  # reloading gives a new one
        return first != now
    if _differs(module):
        return True
    _SEEN[file] = now, module.__spec__
    return False


def _differs(module: ModuleType) -> bool:
    """Whether the module has a function that its file lacks."""
    loader = getattr(module.__spec__, "loader", None)
    try:
        now = loader.get_code(module.__name__)  # type: ignore[union-attr]
    except (AttributeError, ImportError, OSError, SyntaxError, ValueError):
        return False
    if not isinstance(now, CodeType):
        return False
    codes = set(_nested_code(now))
    return any(code not in codes for code in _running_code(module))


def _nested_code(code: CodeType) -> Iterator[CodeType]:
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield const
            yield from _nested_code(const)


def _running_code(module: ModuleType) -> Iterator[CodeType]:
    """The code of the functions and methods that the module itself defines."""
    values = list(vars(module).values())
    own = [
        value
        for value in values
        if issubclass(type(value), type) and value.__module__ == module.__name__
    ]
    values += [value for kind in own for value in vars(kind).values()]
    for value in values:
        codes = (function.__code__ for function in _functions(value))
        yield from (code for code in codes if code.co_filename == module.__file__)


def _functions(value: Any) -> Iterator[FunctionType]:
    """The function that a value is, and those that it wraps, as decorators and properties do."""
    kind = type(value)  # isinstance would ask the value, which may be anything
    wrapped: tuple[Any, ...] = ()
    if issubclass(kind, FunctionType):
        yield value
        wrapped = (vars(value).get("__wrapped__"),)
    elif issubclass(kind, classmethod | staticmethod):
        wrapped = (value.__func__,)
    elif issubclass(kind, property):
        wrapped = (value.fget, value.fset, value.fdel)
    elif issubclass(kind, cached_property | partial):
        wrapped = (value.func,)
    elif issubclass(kind, _CACHED):
        wrapped = (value.__wrapped__,)
    for function in wrapped:
        yield from _functions(function) if function is not None else ()
