"""A finding: what a check found wrong in an entry, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from zoo.leaderboard.entry import Entry


class Check(StrEnum):
    """The checks, by the names that boards publish."""

    MISSING_PROVENANCE = "missing_provenance"
    REMARKED = "remarked"
    UNKNOWN_LICENSE = "unknown_license"
    FAR_FROM_CLAIM = "far_from_claim"
    PARAMETERS_OFF = "parameters_off"
    OTHER_PUBLISHED = "other_published"
    IMPOSSIBLE = "impossible"
    CHANGED = "changed"
    OTHER_PROVENANCE = "other_provenance"
    ODD_TIMING = "odd_timing"
    ODD_FACTS = "odd_facts"
    OTHER_DATA = "other_data"
    MIXED_PROTOCOLS = "mixed_protocols"
    OTHER_MEASURE = "other_measure"
    SAME_NUMBERS = "same_numbers"
    SAME_WEIGHTS = "same_weights"
    SWAPPED = "swapped"
    TWICE = "twice"
    UNRANKED = "unranked"
    MIXED_HARDWARE = "mixed_hardware"


@dataclass(frozen=True)
class Finding:
    """Something wrong in an entry.

    check: what found it. entry, data, field: where. case: what is wrong. fix: what to do.
    """

    check: Check
    entry: str
    data: str
    field: str
    case: str
    fix: str

    def __str__(self) -> str:
        return f"{self.entry} on {self.data}, {self.field}: {self.case} {self.fix}"


CheckFunction = Callable[[Sequence[Entry]], Iterator[Finding]]


def finding(check: Check, entry: Entry, field: str, case: str, fix: str) -> Finding:
    """A finding about a field of an entry."""
    return Finding(check, entry.name, entry.data, field, case, fix)
