"""The checks that every detector has to pass, and their runner. The module itself can be called, as
the decorator `@conformance("name")`. Importing it imports no torch."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType


class _CallableModule(ModuleType):
    """A module whose call is the decorator of the same name."""

    def __call__(self, *arguments: object, **options: object) -> object:
        decorator = import_module("zoo.testing.conformance.decorator")  # deferred: it imports torch
        return decorator.conformance(*arguments, **options)


sys.modules[__name__].__class__ = _CallableModule
