"""A table of aligned columns, in plain text: ten thousand lines take milliseconds."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from itertools import accumulate
from shutil import get_terminal_size

from zoo.printable import printable

GAP = "  "
MORE = " …"


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
