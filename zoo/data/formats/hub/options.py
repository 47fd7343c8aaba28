"""Options of `hub:ORG/NAME,OPTION=VALUE` and of `hub-folder:PATH,OPTION=VALUE`."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

HubBoxFormat: TypeAlias = Literal["xywh", "xyxy", "cxcywh"]


class HubOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options for reading a data set of the Hub.

    split:   the one split to read, and to fetch; else all of them.
    config:  the configuration, where the data set has several.
    name:    name of the data set; else that of its repository.
    image:   the column of images inside Parquet files.
    objects: the column that holds boxes and labels; none where they are columns of their own.
    boxes, labels: what the boxes and the labels of an image are called in it.
    id:      the column of image ids; else `image_id` where that tells images apart, else the file's
             name.
    names:   class names in the order of their numbers, with `|` between, where the data set says
             none.
    box_format: left, top, width, height ("xywh"), left, top, right, bottom ("xyxy"), or the centre
             and the size ("cxcywh"); else it is found out from the numbers.
    fractions: whether boxes are in fractions of the image; else it is found out, too.
    """

    split: str | None = None
    config: str | None = None
    name: str | None = None
    image: str | None = None
    objects: str | None = None
    boxes: str | None = None
    labels: str | None = None
    id: str | None = None
    names: str | None = None
    box_format: HubBoxFormat | None = None
    fractions: bool | None = None
