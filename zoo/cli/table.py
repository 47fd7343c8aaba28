"""A table of aligned columns, in plain text: a listing of ten thousand lines is one string in milliseconds."""

from __future__ import annotations

from collections.abc import Collection, Sequence

GAP = "  "


def table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]], *, right: Collection[str] = ()) -> str:
    """The rows under their header; the columns named in `right` are aligned to the right."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    line = GAP.join(f"%{'' if name in right else '-'}{width}s" for name, width in zip(header, widths, strict=True))
    return "\n".join([(line % row).rstrip() for row in (header, *rows)])
