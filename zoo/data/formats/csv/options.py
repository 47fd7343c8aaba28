"""Options of `csv:PATH,OPTION=VALUE`."""

from __future__ import annotations

from pathlib import Path

import msgspec


class CsvOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a table of boxes is read.

    images:    the folder of the images; else they are looked for next to the file, and in the
               folders there and one level up.
    name:      name of the data set; else that of the file.
    split:     the one split to read, of those in a column `split`; else all of them.
    columns:   names of the columns, in order, with blanks between: for a file without a header.
    image, label, xmin, ymin, xmax, ymax, x, y, w, h: what the file calls that column, where it is
               not one of the usual names.
    fractions: whether coordinates are fractions of the image, as in Open Images.
    """

    images: Path | None = None
    name: str | None = None
    split: str | None = None
    columns: str | None = None
    image: str | None = None
    label: str | None = None
    xmin: str | None = None
    ymin: str | None = None
    xmax: str | None = None
    ymax: str | None = None
    x: str | None = None
    y: str | None = None
    w: str | None = None
    h: str | None = None
    fractions: bool = False
