"""The records of a COCO file that can't be read, each named with its ids and its value; and the
file without them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np
from msgspec import Raw

from zoo.data.finding import Finding
from zoo.data.formats.coco.records import (
    AnnotationRecord,
    Box,
    ImageRecord,
    Instances,
    Loose,
    Size,
)
from zoo.data.formats.coco.segmentation import box_and_area
from zoo.data.json_file import as_written, decoded, has_no_number, with_text_for_no_numbers
from zoo.data.values import flag, whole
from zoo.errors import DataError

MAX_LETTERS_SHOWN = 60  # of a value
_INTEGER = "a whole number of 64 bits"
_ID = f"{_INTEGER}, or text"


@dataclass(frozen=True)
class _Field:
    """The rule for a field: its type, a test of the values of that type, and both in words."""

    kind: Any
    words: str
    is_sound: Callable[[Any], bool] = lambda _: True
    required: bool = False


def _is_whole(value: object) -> bool:
    return whole(value) is not None


def _is_id(value: object) -> bool:
    return isinstance(value, str) or _is_whole(value)


def _is_number_of_box(value: object) -> bool:
    return value is None or _is_whole(value)


def _is_flag(value: object) -> bool:
    return flag(value) is not None


_OF_IMAGES = {
    "id": _Field(Loose, _ID, _is_id, required=True),
    "file_name": _Field(str | None, "text"),
    "width": _Field(Size, "a number of pixels"),
    "height": _Field(Size, "a number of pixels"),
}
_OF_BOXES = {
    "image_id": _Field(Loose, _ID, _is_id, required=True),
    "category_id": _Field(Loose, _INTEGER, _is_whole, required=True),
    "bbox": _Field(Box | None, "four numbers"),
    "id": _Field(Loose, _INTEGER, _is_number_of_box),
    "area": _Field(float | None, "a number"),
    "iscrowd": _Field(Loose, "0 or 1", _is_flag),
}


class _Lists(msgspec.Struct):
    images: list[Raw]
    categories: Raw
    annotations: list[Raw] = []


def without_flawed(text: memoryview, name: str) -> tuple[memoryview, list[Finding]]:
    """The file without the records that can't be read, and a finding about each of them; without
    findings where it is not lists of records."""
    try:
        lists = _lists(text, name)
    except DataError:
        return text, []
    findings: list[Finding] = []
    parts = {
        "images": _sound("images", lists.images, ImageRecord, _OF_IMAGES, findings),
        "annotations": _sound(
            "annotations", lists.annotations, AnnotationRecord, _OF_BOXES, findings
        ),
    }
    file = {key: Raw(b"[%s]" % b",".join(records)) for key, records in parts.items()}
    return memoryview(msgspec.json.encode(file | {"categories": lists.categories})), findings


def _lists(text: memoryview, name: str) -> _Lists:
    """The records of a file, in which NaN and Infinity are text. Raises: DataError."""
    try:
        return decoded(text, _Lists, name)
    except DataError:
        if not has_no_number(text):
            raise
    return decoded(with_text_for_no_numbers(text), _Lists, name)


def without_repeated_images(file: Instances, findings: list[Finding]) -> Instances:
    """The content with each image once, as it is listed first. findings: gets one for each time
    more."""
    first = np.unique(file.image_ids, return_index=True)[1]
    if len(first) == len(file.image_ids):
        return file
    place = dict(zip(file.image_ids[first].tolist(), first.tolist(), strict=True))
    for row in np.setdiff1d(np.arange(len(file.image_ids)), first).tolist():
        number = file.image_ids[row].item()
        before = place[number]
        message = (
            f"images[{row}] (id {number}, {file.files[row]}) lists image {number} again; "
            f"images[{before}] ({file.files[before]}) is taken."
        )
        findings.append(Finding("repeated_image", message, str(number)))
    rows = np.sort(first)
    return replace(
        file,
        image_ids=file.image_ids[rows],
        files=[file.files[row] for row in rows.tolist()],
        sizes=file.sizes[rows],
    )


def _sound(
    key: str,
    records: Sequence[Raw],
    kind: type[msgspec.Struct],
    fields: Mapping[str, _Field],
    findings: list[Finding],
) -> list[Raw]:
    """The records of a list that can be read. findings: gets one for each of the others."""
    decoder = msgspec.json.Decoder(kind)
    tested = [(name, field.is_sound) for name, field in fields.items()]
    sound = []
    for row, record in enumerate(records):
        try:
            values = decoder.decode(record)
        except (msgspec.DecodeError, RecursionError) as error:
            findings.append(_finding(key, row, record, fields, f"{error}"))
            continue
        is_sound = all(test(getattr(values, name)) for name, test in tested)
        if is_sound and as_written(record) == bytes(record) and _has_box(values):
            sound.append(record)
        else:
            findings.append(_finding(key, row, record, fields, "It can't be read"))
    return sound


def _has_box(values: msgspec.Struct) -> bool:
    """Whether a record is of an image, or has a box or a mask to take one from."""
    if not isinstance(values, AnnotationRecord) or values.bbox is not None:
        return True
    return box_and_area(bytes(values.segmentation)) is not None


def _finding(key: str, row: int, record: Raw, fields: Mapping[str, _Field], reason: str) -> Finding:
    """The finding of a record that can't be read. reason: said where no field explains it."""
    try:
        texts = msgspec.json.decode(record, type=dict[str, Raw])
    except (msgspec.DecodeError, RecursionError):
        case = f"{key}[{row}] is {_shown(record)}, not an object with fields."
        return Finding("unreadable_annotations", case)
    names = {"id": "id", "image_id": "image"}
    ids = {word: _shown(texts[name]) for name, word in names.items() if name in texts}
    brackets = f" ({', '.join(f'{word} {text}' for word, text in ids.items())})" if ids else ""
    name, fault = _fault(texts, fields) or ("", f"can't be read: {reason}")
    if not name and as_written(record) != bytes(record):
        fault = "has NaN or Infinity, numbers that JSON does not have"
    check = "not_finite" if name == "bbox" else "unreadable_annotations"
    image = ids.get("image" if key == "annotations" else "id")
    return Finding(check, f"{key}[{row}]{brackets} {fault}.", image and image.strip('"'))


def _fault(texts: Mapping[str, Raw], fields: Mapping[str, _Field]) -> tuple[str, str] | None:
    """The first field that can't be, and what is wrong with it."""
    for name, field in fields.items():
        if name not in texts:
            if field.required:
                return name, f"has no {name}"
            continue
        try:
            value = msgspec.json.decode(texts[name], type=field.kind)
        except (msgspec.DecodeError, RecursionError):
            return name, f"has the {name} {_shown(texts[name])}, not {field.words}"
        if not field.is_sound(value):
            return name, f"has the {name} {_shown(texts[name])}, not {field.words}"
    if "bbox" in fields and bytes(texts.get("bbox", b"null")) == b"null":
        mask = bytes(texts.get("segmentation", b""))
        if box_and_area(mask) is None:
            return "bbox", "has no bbox, and no mask to take it from"
    return None


def _shown(text: Raw) -> str:
    """A value as the file has it."""
    shown = as_written(text).decode("utf-8", "replace")
    return shown if len(shown) <= MAX_LETTERS_SHOWN else f"{shown[:MAX_LETTERS_SHOWN]}…"
