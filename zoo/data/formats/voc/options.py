"""Options of `voc:PATH,OPTION=VALUE`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

Origin: TypeAlias = Literal["auto", "0", "1"]


class VocOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a folder of VOC files is read.

    images: the folder of the images; else `JPEGImages`, `images`, or the folder itself.
    name:   name of the data set; else that of the folder.
    split:  the one split to read; else all of them.
    origin: the number of the first pixel. VOC counts from "1", and the last pixel is in the box:
            1 to 10 are ten pixels, from 0.0 to 10.0. With "0", coordinates are the box's edges as
            they stand. "auto" is what the files say that detzoo wrote; else 0 if a box of the data
            set begins before pixel 1, and 1 if none does.
    """

    images: Path | None = None
    name: str | None = None
    split: str | None = None
    origin: Origin = "auto"
