"""Fields of a COCO file that nothing here needs, to be written again as they are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw

from zoo.data.extras import Fields
from zoo.data.json_file import NoRecord, content, decoded, decoded_with_null
from zoo.data.values import whole

_NO_RECORDS = Raw(b"[]")
_RECORDS = ("images", "annotations", "categories")
_OF_IMAGES = ("id", "file_name", "width", "height")
_OF_CLASSES = ("id", "name")
_OF_BOXES = ("id", "image_id", "category_id", "bbox", "area", "iscrowd", "segmentation")


# A key that is none of a box's, nor of its mask's, at any depth; found without parsing the rest.
_FURTHER_KEY = re.compile(
    rb'"(?!(?:%s)")[^"]{1,99}"\s*:' % "|".join((*_OF_BOXES, "counts", "size")).encode()
)


class _Box:
    """An annotation, of which only the names of its fields are looked at."""


_A_BOX = _Box()


@dataclass(frozen=True)
class _Further:
    """The fields of a file that are not read. images, classes: by id, of several with one id the
    first; those without such fields are left out."""

    file: Fields
    images: dict[str, Fields]
    classes: dict[str, Fields]
    box_names: list[str]


@dataclass(frozen=True, eq=False)
class CocoExtras:
    """The further fields of one file, which is read again when the first is asked for."""

    path: Path

    @cached_property
    def _further(self) -> _Further:
        lists = decoded_with_null(content(self.path), dict[str, Raw], str(self.path))
        return _Further(
            {name: text.copy() for name, text in lists.items() if name not in _RECORDS},
            self._records(lists.get("images", _NO_RECORDS), _OF_IMAGES),
            self._records(lists.get("categories", _NO_RECORDS), _OF_CLASSES),
            _further_names(memoryview(lists.get("annotations", _NO_RECORDS))),
        )

    def _records(self, text: Raw, read: Sequence[str]) -> dict[str, Fields]:
        records = decoded(memoryview(text), list[dict[str, Raw] | NoRecord], str(self.path))
        fields_by_id: dict[str, Fields] = {}
        for record in records:
            if not isinstance(record, dict) or "id" not in record:
                continue  # a record that can't be, and that no data set has
            # copied, or they would keep the whole file in memory
            fields = {key: value.copy() for key, value in record.items() if key not in read}
            if fields:
                fields_by_id.setdefault(_key(msgspec.json.decode(record["id"])), fields)
        return fields_by_id

    def __getstate__(self) -> dict[str, Path]:
        return {"path": self.path}  # other processes read it for themselves

    def of_file(self, _ids: Sequence[Any]) -> Fields:
        return self._further.file

    def of_images(self, ids: Sequence[Any]) -> list[Fields]:
        return [self._further.images.get(_key(number), {}) for number in ids]

    def of_classes(self, ids: Sequence[int]) -> list[Fields]:
        return [self._further.classes.get(_key(number), {}) for number in ids]

    def names_of_boxes(self) -> list[str]:
        return self._further.box_names


def _further_names(boxes: memoryview) -> list[str]:
    """The names of the boxes' further fields, which are few: a box itself is not kept."""
    if _FURTHER_KEY.search(boxes) is None:
        return []
    names: dict[str, None] = {}

    def note_names(_: type, fields: object) -> _Box:
        if isinstance(fields, dict):
            names.update(dict.fromkeys(fields))
        return _A_BOX

    msgspec.json.decode(boxes, type=list[_Box], dec_hook=note_names)
    return [name for name in names if name not in _OF_BOXES]


def _key(number: object) -> str:
    """An id as text, as numbers may be written in several ways."""
    return number if isinstance(number, str) else str(whole(number))
