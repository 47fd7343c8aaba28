"""Whole numbers that a caller passes: of Python, numpy or torch; never True, nor text."""

from __future__ import annotations

from operator import index
from typing import Any


def count_of(value: Any, *, least: int = 1) -> int | None:
    """The number as an int; None for anything else, and below `least`."""
    if isinstance(value, bool):
        return None
    try:
        count = index(value)
    except TypeError:
        return None
    return count if count >= least else None
