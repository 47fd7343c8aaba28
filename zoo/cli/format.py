"""Formats facts and tables for a terminal; an unknown fact is a dash, never a guess."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from functools import cache
from itertools import accumulate
from shutil import get_terminal_size

from zoo.printable import printable

UNKNOWN = "–"
GAP = "  "
MORE = " …"


def format_text(value: str | None) -> str:
    """The text itself."""
    return value or UNKNOWN


def format_number(value: float | None) -> str:
    """A number with one decimal."""
    return UNKNOWN if value is None else f"{value:.1f}"


def format_count(value: int | None) -> str:
    """Parameters in millions or billions: `0.91M`, `41.8M`, `104M`, `1.20B`."""
    if value is None:
        return UNKNOWN
    amount, unit = (value / 1e9, "B") if value >= 999.5e6 else (value / 1e6, "M")
    if amount < 9.995:
        return f"{amount:.2f}{unit}"
    return f"{amount:.1f}{unit}" if amount < 99.95 else f"{amount:.0f}{unit}"


def format_claim(value: float) -> str:
    """A claimed number as a listing shows it, unless it has more decimals."""
    return format_number(value) if round(value, 1) == value else f"{value:g}"


@cache  # ten thousand models share a few sizes and licences
def format_size(value: tuple[int, int] | None, resize: str | None) -> str:
    """`416` for a square, `480x640` for height and width, `800-1333` for shortest and longest
    edge."""
    if value is None:
        return UNKNOWN
    first, second = value
    if resize == "shortest_edge":
        return f"{first}-{second}"
    return f"{first}" if first == second else f"{first}x{second}"


@cache
def format_license(code: str | None, weights: str | None) -> str:
    """One licence where code and weights have the same, else `code / weights`."""
    return format_text(code) if code == weights else f"{format_text(code)} / {format_text(weights)}"


def format_percent(value: float | None) -> str:
    """An AP or another share, in percent."""
    return UNKNOWN if value is None else f"{100 * value:.1f}"


def format_megabytes(count: int) -> str:
    """The size of a file in MB, or in kB below 0.1 MB."""
    return f"{count / 1e6:.1f} MB" if count >= 100_000 else f"{count / 1e3:.1f} kB"


def table(
    header: tuple[str, ...],
    rows: Sequence[tuple[str, ...]],
    *,
    right: Collection[str] = (),
    width: int | None = None,
) -> list[str]:
    """The rows under their header, a line each; the columns named in `right` are aligned to the
    right.

    width: of a line; columns that do not fit are left out from the end, and the header ends in `…`.
           None is the terminal's width, or no limit where standard output is none.
    """
    rows = [row if "".join(row).isprintable() else tuple(map(printable, row)) for row in rows]
    width = width or (get_terminal_size().columns if sys.stdout.isatty() else None)
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    shown = len(header) if width is None else _fitting(widths, width)
    line = GAP.join(
        f"%{'' if name in right else '-'}{wide}s"
        for name, wide in zip(header[:shown], widths, strict=False)
    )
    if shown == len(header):
        return [(line % row).rstrip() for row in (header, *rows)]
    return [
        f"{(line % header[:shown]).rstrip()}{MORE}",
        *((line % row[:shown]).rstrip() for row in rows),
    ]


def _fitting(widths: Sequence[int], width: int) -> int:
    """How many columns fit, at least one."""
    ends = list(accumulate(widths, lambda end, wide: end + len(GAP) + wide))
    if ends[-1] <= width:
        return len(widths)
    return max(1, sum(end + len(MORE) <= width for end in ends))
