"""One contradiction in a report, and the tolerance within which two numbers agree."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from zoo.evaluate.report import Report

CLOSE = 1e-6  # sums in another order differ by less


class Contradiction(NamedTuple):
    """at: the field, inside of `report`. case: what it says, and what it should."""

    at: str
    case: str


Rule = Callable[[Report], Iterator[Contradiction]]


def is_whole(count: float) -> bool:
    """Whether a count that was computed from shares is one."""
    return abs(count - round(count)) < 1e-3


def above(less: float | None, more: float | None) -> bool:
    return less is not None and more is not None and less > more + CLOSE


def same(reported: float | None, true: float | None) -> bool:
    return reported == true if reported is None or true is None else abs(reported - true) <= CLOSE


def four_decimals(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.4f}"
