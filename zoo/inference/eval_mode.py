"""Eval mode for as long as somebody detects, and afterwards every submodule as it was."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from torch import nn


@dataclass
class _Loan:
    users: int = 0
    trained: list[nn.Module] = field(default_factory=list)


_lock = threading.Lock()
_loans: WeakKeyDictionary[nn.Module, _Loan] = WeakKeyDictionary()


@contextmanager
def eval_mode(module: nn.Module) -> Iterator[None]:
    """The module in eval mode. Several threads may be inside at once: the first one switches, the
    last one restores."""
    with _lock:
        loan = _loans.setdefault(module, _Loan())
        loan.users += 1
        if loan.users == 1:
            loan.trained = _in_training(module)
            if loan.trained:
                module.eval()
    try:
        yield
    finally:
        with _lock:
            loan.users -= 1
            if loan.users == 0:
                for one in loan.trained:
                    one.training = True
                del _loans[module]


def _in_training(module: nn.Module) -> list[nn.Module]:
    # Module.modules() builds a name for everything it passes, which would take a percent of a small
    # network's time.
    found: list[nn.Module] = []
    stack: list[nn.Module | None] = [module]
    while stack:
        if (one := stack.pop()) is not None:
            stack.extend(one._modules.values())
            if one.training:
                found.append(one)
    return found
