"""The exit code of a command that works on several names, some of which fail."""

from __future__ import annotations

from collections.abc import Collection


def exit_code(failures: Collection[int], *, some_done: bool) -> int:
    """0 if nothing failed; the code of the failures if all names failed with one code; else 1."""
    codes = set(failures)
    if len(codes) == 1 and not some_done:
        return codes.pop()
    return int(bool(codes))
