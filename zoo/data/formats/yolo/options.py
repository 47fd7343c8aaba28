"""Options of `yolo:PATH,OPTION=VALUE`."""

from __future__ import annotations

from pathlib import Path

import msgspec


class YoloOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a YOLO folder, or its `data.yaml`, is read.

    images: the folder of the images where they are not `images` next to `labels`.
    name:   name of the data set; else that of the folder.
    split:  the one split to read; else all of them.
    """

    images: Path | None = None
    name: str | None = None
    split: str | None = None
