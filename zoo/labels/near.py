"""Did you mean …?: the known names nearest to a mistyped one."""

from __future__ import annotations

from collections.abc import Iterable


def near(asked: str, known: Iterable[str], *, most: int = 3) -> list[str]:
    """At most so many of the known names, likeliest first: those that look like it, then those that contain it.

    Case does not matter; the names come back as they are spelled.
    """
    from difflib import get_close_matches  # deferred: only mistakes need it

    wanted, names = asked.casefold(), {name.casefold(): name for name in sorted(set(known))}
    alike = get_close_matches(wanted, names, n=most, cutoff=0.7)
    within = [name for name in names if len(wanted) > 2 and wanted in name and name not in alike]
    return [names[name] for name in [*alike, *within][:most]]


def choice_of(names: Iterable[str]) -> str:
    """`'a', 'b' or 'c'`."""
    quoted = [f"'{name}'" for name in names]
    return " or ".join(filter(None, [", ".join(quoted[:-1]), quoted[-1] if quoted else ""]))
