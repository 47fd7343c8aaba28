"""A finding: what a check found wrong in an entry, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from zoo.leaderboard.entry import Entry


@dataclass(frozen=True)
class Finding:
    """Something wrong in an entry.

    check: the function that found it. entry, data, field: where. case: what is wrong. fix: what to
        do.
    """

    check: str
    entry: str
    data: str
    field: str
    case: str
    fix: str

    def __str__(self) -> str:
        return f"{self.entry} on {self.data}, {self.field}: {self.case} {self.fix}"


Check = Callable[[Sequence[Entry]], Iterator[Finding]]


def finding(
    of: Callable[..., Iterator[Finding]], entry: Entry, at: str, case: str, fix: str
) -> Finding:
    """A finding of the check `of` in the field `at` of an entry."""
    return Finding(of.__name__, entry.name, entry.data, at, case, fix)
