"""Whole numbers and flags as other tools write them: `1.0`, `"12"`, `false`, -1 for unknown."""

from __future__ import annotations

import math
import re

UNKNOWN = -1  # as many tools write it for an area, an annotation's id or whether it is a crowd
_LARGEST = 2**63
_PLAIN = re.compile(r"0|-?[1-9][0-9]{0,18}")  # "007" names a file, not a number


def whole(value: object) -> int | None:
    """The whole number of 64 bits that is meant: 12, 12.0 and "12" are; None for anything else."""
    text = isinstance(value, str) and _PLAIN.fullmatch(value)
    if text or (isinstance(value, float) and value.is_integer()):
        value = int(value)  # type: ignore[call-overload]
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if -_LARGEST <= value < _LARGEST else None


def flag(value: object) -> int | None:
    """0 or 1; nothing and -1 are unknown, and count as 0; None for anything else."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return 0
    number = int(value) if isinstance(value, bool) else whole(value)
    if number == UNKNOWN:
        return 0
    return number if number in (0, 1) else None
