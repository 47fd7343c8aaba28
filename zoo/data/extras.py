"""Whatever files of COCO say besides images, boxes, classes and masks: who made them, licences,
addresses of images, groups of classes. It is read when it is asked for, and kept as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from msgspec import Raw

Fields = Mapping[str, Raw]
_LICENSES, _LICENSE = "licenses", "license"  # an image's is the id of one of the file's


class Extras(Protocol):
    """Further fields of a data set, as JSON has them."""

    def of_file(self, ids: Sequence[Any], /) -> Fields:
        """Those of the file that has these images, as `info` and `licenses`."""

    def of_images(self, ids: Sequence[Any], /) -> list[Fields]:
        """Those of each image, as `license` and `coco_url`."""

    def of_classes(self, ids: Sequence[int], /) -> list[Fields]:
        """Those of each class, as `supercategory`, by the id of its category."""

    def names_of_boxes(self) -> list[str]:
        """Names of those of boxes, as `keypoints`, whose values are not kept."""


@dataclass(frozen=True, eq=False)
class MergedExtras:
    """The fields of several data sets under the ids that their images have together.

    A field of the files stays where the files of the images agree in it; where their licences are
    not the same, images lose theirs, which would be another one.

    parts: of each data set, None if it has none. old, new: ids of the images of each.
    """

    parts: Sequence[Extras | None]
    old: Sequence[Sequence[Any]]
    new: Sequence[Sequence[Any]]

    @cached_property
    def _places(self) -> dict[Any, tuple[int, Any]]:
        """The part of each image, and its id there."""
        places: dict[Any, tuple[int, Any]] = {}
        for part, (before, after) in enumerate(zip(self.old, self.new, strict=True)):
            pairs = zip(after, before, strict=True)
            places |= {number: (part, old_id) for number, old_id in pairs}
        return places

    def _files(self, ids: Sequence[Any]) -> list[Fields]:
        """The fields of each file that has some of these images."""
        old_ids: dict[int, list[Any]] = {}
        for number in ids:
            part, old = self._places[number]
            old_ids.setdefault(part, []).append(old)
        files = [(self.parts[part], olds) for part, olds in old_ids.items()]
        return [{} if part is None else part.of_file(olds) for part, olds in files]

    def of_file(self, ids: Sequence[Any]) -> Fields:
        first, *others = self._files(ids) or [{}]
        return {
            name: text
            for name, text in first.items()
            if all(name in other and bytes(other[name]) == bytes(text) for other in others)
        }

    def of_images(self, ids: Sequence[Any]) -> list[Fields]:
        licenses = {bytes(file.get(_LICENSES, b"")) for file in self._files(ids)}
        image_fields: list[Fields] = []
        for number in ids:
            place, old = self._places[number]
            part = self.parts[place]
            fields = {} if part is None else dict(part.of_images([old])[0])
            if len(licenses) > 1:
                fields.pop(_LICENSE, None)
            image_fields.append(fields)
        return image_fields

    def of_classes(self, ids: Sequence[int]) -> list[Fields]:
        by_part = [part.of_classes(ids) for part in self.parts if part is not None]
        return [next(filter(None, of_one), {}) for of_one in zip(*by_part, strict=True)]

    def names_of_boxes(self) -> list[str]:
        names = (name for part in self.parts if part is not None for name in part.names_of_boxes())
        return list(dict.fromkeys(names))
