"""Lets a package be called like the function it is named after."""

from __future__ import annotations

from types import ModuleType

from zoo.evaluate.evaluate import evaluate


class CallableModule(ModuleType):
    """A module whose call is `evaluate`, so that `zoo.evaluate(…)` and `from zoo.evaluate import
    Evaluator` both work.

    https://docs.python.org/3/reference/datamodel.html#customizing-module-attribute-access
    """

    __call__ = staticmethod(evaluate)
