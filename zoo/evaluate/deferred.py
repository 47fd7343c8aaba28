"""A field of a dataclass whose value may be computed when it is first read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar, cast

_Value = TypeVar("_Value")


class Deferred:
    """A value that is not computed yet."""

    def __init__(self, compute: Callable[[], object]) -> None:
        self.compute = compute


class _Field:
    """The descriptor: https://docs.python.org/3/library/dataclasses.html#descriptor-typed-fields

    An instance holds a value under the field's name, and a deferred one under the name with an
    underscore, which msgspec does not encode. Two threads may compute it twice.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self._name, self._deferred = name, f"_{name}"

    def __get__(self, instance: object | None, owner: type) -> Any:
        if instance is None:  # dataclasses ask for a default so
            raise AttributeError(f"{owner.__name__}.{self._name} has no default", name=self._name)
        held = vars(instance)
        if deferred := held.get(self._deferred):
            held[self._name] = deferred.compute()
            held.pop(self._deferred, None)
        return held[self._name]

    def __set__(self, instance: object, value: object) -> None:
        vars(instance)[self._deferred if isinstance(value, Deferred) else self._name] = value


def deferred_field() -> Any:
    """Declares a field without a default that takes a value, or `deferred(…)` in its place. Typed
    as `dataclasses.field` is."""
    return _Field()


def deferred(compute: Callable[[], _Value]) -> _Value:
    """Defers a field to the result of `compute`, called when the field is first read."""
    return cast("_Value", Deferred(compute))


def is_deferred(instance: object, name: str) -> bool:
    """Whether a field is still to be computed."""
    return name not in vars(instance)


def replace_lazily(instance: _Value, **others: object) -> _Value:
    """As `dataclasses.replace`, without computing deferred fields."""
    held = vars(instance)
    names = (field.name for field in fields(cast("Any", instance)) if field.name not in others)
    values = {name: held[name] if name in held else held[f"_{name}"] for name in names}
    return type(instance)(**values, **others)
