"""Formats values and tables for a terminal; an unknown value is a dash."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from functools import cache
from itertools import accumulate
from shutil import get_terminal_size

from zoo.printable import printable

UNKNOWN = "–"
COLUMN_GAP = "  "
CUT_MARK = " …"


def format_text(value: str | None) -> str:
    """The text, or a dash for none."""
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
    """A claimed number with one decimal, or with all of its own if it has more."""
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
    """One licence if code and weights have the same, else `code / weights`."""
    return format_text(code) if code == weights else f"{format_text(code)} / {format_text(weights)}"


def format_percent(value: float | None) -> str:
    """A share such as an AP, from 0 to 1, in percent with one decimal."""
    return UNKNOWN if value is None else f"{100 * value:.1f}"


def format_megabytes(count: int) -> str:
    """A number of bytes in MB, or in kB below 0.1 MB."""
    return f"{count / 1e6:.1f} MB" if count >= 100_000 else f"{count / 1e3:.1f} kB"


def table(
    header: tuple[str, ...],
    rows: Sequence[tuple[str, ...]],
    *,
    right: Collection[str] = (),
    width: int | None = None,
) -> list[str]:
    """The header and the rows as lines.

    right: names of the columns that are aligned to the right.
    width: characters of a line. The last columns are left out if they do not fit: the header ends
           in `…`, and a last line names them. None: the terminal's width, or no limit if standard
           output is none.
    """
    rows = [row if "".join(row).isprintable() else tuple(map(printable, row)) for row in rows]
    width = width or (get_terminal_size().columns if sys.stdout.isatty() else None)
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    columns = len(header) if width is None else _fitting(widths, width)
    line = COLUMN_GAP.join(
        f"%{'' if name in right else '-'}{wide}s"
        for name, wide in zip(header[:columns], widths, strict=False)
    )
    if columns == len(header):
        return [(line % row).rstrip() for row in (header, *rows)]
    needed = sum(widths) + len(COLUMN_GAP) * (len(widths) - 1)
    return [
        f"{(line % header[:columns]).rstrip()}{CUT_MARK}",
        *((line % row[:columns]).rstrip() for row in rows),
        f"… {', '.join(header[columns:])}: in {needed} columns",
    ]


def _fitting(widths: Sequence[int], width: int) -> int:
    """The number of columns that fit, at least one."""
    ends = list(accumulate(widths, lambda end, wide: end + len(COLUMN_GAP) + wide))
    if ends[-1] <= width:
        return len(widths)
    return max(1, sum(end + len(CUT_MARK) <= width for end in ends))
