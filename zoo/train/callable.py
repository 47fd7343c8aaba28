"""Lets `zoo.train` be called like the function `zoo.train.train.train`."""

from __future__ import annotations

from types import ModuleType

from zoo.train.train import train


class CallableModule(ModuleType):
    """A module whose call is `train`, so that `zoo.train(…)` and `zoo.train.Recipe` both work."""

    __call__ = staticmethod(train)
