"""Options of `coco:PATH,OPTION=VALUE`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

MissingArea: TypeAlias = Literal["box", "refuse"]


class CocoOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a COCO file, or a folder of them, is read.

    images: the folder of the images; else they are looked for next to the file, and in the folders
        there and one level up.
    name:   name of the data set; else that of the file, or of its folder if the file's says
            nothing.
    split:  of a folder, the one split to read; else all of them.
    missing_area: a box without `area` has the box's own ("box"), or the file is refused ("refuse").
    """

    images: Path | None = None
    name: str | None = None
    split: str | None = None
    missing_area: MissingArea = "box"
