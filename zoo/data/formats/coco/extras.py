"""Fields of a COCO file that nothing here needs, to be written again as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw

from zoo.data.extras import Fields
from zoo.data.json_file import content, decoded
from zoo.data.values import whole

_RECORDS = ("images", "annotations", "categories")
_OF_IMAGES = ("id", "file_name", "width", "height")
_OF_CLASSES = ("id", "name")
_OF_BOXES = ("id", "image_id", "category_id", "bbox", "area", "iscrowd", "segmentation")


class _Boxes(msgspec.Struct):
    annotations: list[dict[str, Raw]] = []


@dataclass(frozen=True, eq=False)
class CocoExtras:
    """The further fields of one file, which is read again when the first is asked for."""

    path: Path

    @cached_property
    def _file(self) -> dict[str, Raw]:
        fields = decoded(content(self.path), dict[str, Raw], str(self.path))
        return {name: text for name, text in fields.items() if name != "annotations"}

    @cached_property
    def _images(self) -> dict[str, Fields]:
        return self._records("images", _OF_IMAGES)

    @cached_property
    def _classes(self) -> dict[str, Fields]:
        return self._records("categories", _OF_CLASSES)

    def _records(self, name: str, without: Sequence[str]) -> dict[str, Fields]:
        """By id, of several with one id the first."""
        records = decoded(memoryview(self._file[name]), list[dict[str, Raw]], str(self.path))
        fields_by_id: dict[str, Fields] = {}
        for record in records:
            fields = {key: text for key, text in record.items() if key not in without}
            fields_by_id.setdefault(_key(msgspec.json.decode(record["id"])), fields)
        return fields_by_id

    @cached_property
    def _names_of_boxes(self) -> list[str]:
        boxes = decoded(content(self.path), _Boxes, str(self.path)).annotations
        names = dict.fromkeys(name for box in boxes for name in box)
        return [name for name in names if name not in _OF_BOXES]

    def __getstate__(self) -> dict[str, Path]:
        return {"path": self.path}  # other processes read it for themselves

    def of_file(self, _ids: Sequence[Any]) -> Fields:
        return {name: text for name, text in self._file.items() if name not in _RECORDS}

    def of_images(self, ids: Sequence[Any]) -> list[Fields]:
        return [self._images.get(_key(number), {}) for number in ids]

    def of_classes(self, ids: Sequence[int]) -> list[Fields]:
        return [self._classes.get(_key(number), {}) for number in ids]

    def names_of_boxes(self) -> list[str]:
        return self._names_of_boxes


def _key(number: object) -> str:
    """An id as text, as numbers may be written in several ways."""
    return number if isinstance(number, str) else str(whole(number))
