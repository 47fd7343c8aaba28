"""Lets a package be called like the function it is named after.

`zoo.evaluate(model, data=…)` is the call that most users need, and `from zoo.evaluate import
Report` the way to everything else of evaluation. A function and a package of one name can't both be
attributes of `zoo`, so the package itself is called. docs/adr/0007 has the reasons.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType


class CallableModule(ModuleType):
    """A module that passes calls on to its `__wrapped__`, where `inspect` and `help` look for the
    signature.

    https://docs.python.org/3/reference/datamodel.html#customizing-module-attribute-access
    """

    __wrapped__: Callable[..., object]

    def __call__(self, *arguments: object, **options: object) -> object:
        return self.__wrapped__(*arguments, **options)


def make_callable(package: str, function: Callable[..., object]) -> None:
    """Makes calls of the imported package `package` calls of `function`."""
    module = sys.modules[package]
    module.__class__ = CallableModule
    module.__dict__["__wrapped__"] = function
