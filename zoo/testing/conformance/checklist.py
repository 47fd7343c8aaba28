"""All checks in the order in which they run, each with its name and the promise that it tests."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from zoo.errors import NameNotFound
from zoo.suggest import did_you_mean
from zoo.testing.conformance.checks import (
    answers,
    background,
    batches,
    building,
    card,
    classes,
    engines,
    expects,
    forward,
    input_forms,
    learning,
    portable,
    preparing,
    settings,
    shapes,
    state,
    suppression,
    training,
    truths,
)
from zoo.testing.conformance.model import Model

CHECK_PREFIX = "check_"
GROUPS: tuple[ModuleType, ...] = (
    answers,
    settings,
    suppression,
    shapes,
    input_forms,
    batches,
    preparing,
    portable,
    forward,
    training,
    truths,
    learning,
    background,
    state,
    building,
    classes,
    card,
    expects,
    engines,
)


@dataclass(frozen=True)
class Check:
    """One check.

    name:    its function's name without `check_`.
    promise: what a detector has to do to pass, in a sentence.
    group:   the name of its module.
    """

    name: str
    promise: str
    group: str
    function: Callable[[Any], None]

    def __call__(self, model: Model) -> None:
        """Runs it on the model, or on its detector. Raises: ConformanceError, NotApplicable."""
        wants_model = "model" in inspect.signature(self.function).parameters
        self.function(model if wants_model else model.detector)


def _checks() -> dict[str, Check]:
    checks = {}
    for module in GROUPS:
        for name, function in vars(module).items():
            if name.startswith(CHECK_PREFIX):
                promise = (inspect.getdoc(function) or "").partition("\n\n")[0].replace("\n", " ")
                short = name.removeprefix(CHECK_PREFIX)
                checks[short] = Check(short, promise, module.__name__.rpartition(".")[2], function)
    return checks


CHECKS: dict[str, Check] = _checks()


def select_checks(only: Collection[str]) -> list[Check]:
    """The checks of these names, all if empty. Raises: NameNotFound with similar names."""
    for name in only:
        if name not in CHECKS:
            fix = did_you_mean(name, CHECKS, otherwise=f"There are: {', '.join(CHECKS)}.")
            raise NameNotFound(f"No check named '{name}'.", "The kit has none of that name.", fix)
    return [check for name, check in CHECKS.items() if not only or name in only]
