"""COCO's files record by record: the careful reader, which understands what other tools write and
words every error.

`scan` reads the plain ones many times as fast into the same columns, with the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from zoo.data.formats.coco import scan
from zoo.data.formats.coco.segmentation import box_and_area
from zoo.data.json_file import decoded, decoded_lines, wrong
from zoo.data.values import UNKNOWN, flag, whole

Loose: TypeAlias = int | float | str | bool | None
Size: TypeAlias = (
    Annotated[int, msgspec.Meta(ge=0, le=2**31)]
    | Annotated[float, msgspec.Meta(ge=0, le=2**31)]
    | None
)
Box: TypeAlias = tuple[float, float, float, float]


_NOTHING = msgspec.Raw()


class ImageRecord(msgspec.Struct):
    """An image as a file may write it."""

    id: Loose
    file_name: str | None = None
    width: Size = None
    height: Size = None


class AnnotationRecord(msgspec.Struct):
    """An annotation as a file may write it."""

    image_id: Loose
    category_id: Loose
    bbox: Box | None = None
    id: Loose = None
    area: float | None = None
    iscrowd: Loose = None
    segmentation: msgspec.Raw = _NOTHING


class Category(msgspec.Struct):
    """A category as a file declares it."""

    id: int
    name: str
    supercategory: str | None = None


class _LooseCategory(msgspec.Struct):
    id: Loose
    name: str
    supercategory: Any = None


class _Instances(msgspec.Struct):
    images: list[ImageRecord]
    categories: list[_LooseCategory]
    annotations: list[AnnotationRecord] = []


class _Labelled(msgspec.Struct):
    category_id: Loose = None


class _Names(msgspec.Struct):
    images: list[ImageRecord]
    categories: list[_LooseCategory] = []
    annotations: list[_Labelled] = []


class _Result(msgspec.Struct):
    image_id: Loose
    category_id: Loose
    bbox: Box
    score: float


@dataclass(frozen=True, eq=False)
class Instances:
    """The content of an `instances.json`.

    image_ids: (m,) int64 or str. files: file names, None where there is none. sizes: (m, 2) int64
        width and height, 0 is unknown.
    ids: (n,) int64. images: (n,) int64 or str. categories: (n,) int64. boxes: (n, 4) x, y, width,
        height.
    areas: (n,) NaN is unknown. crowd: (n,) 0 or 1.
    """

    image_ids: NDArray[Any]
    files: list[str | None]
    sizes: NDArray[np.int64]
    declared: list[Category]
    ids: NDArray[np.int64]
    images: NDArray[Any]
    categories: NDArray[np.int64]
    boxes: NDArray[np.float64]
    areas: NDArray[np.float64]
    crowd: NDArray[np.integer]


@dataclass(frozen=True, eq=False)
class Results:
    """The content of a results list: images (n,) int64 or str, categories (n,), boxes (n, 4) x, y,
    width, height, scores (n,)."""

    images: NDArray[Any]
    categories: NDArray[np.int64]
    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]


def read_instances(text: memoryview, name: str) -> Instances:
    """Raises: DataError naming the file and the record."""
    if (columns := scan.instances(text)) is None:
        return careful_instances(text, name)
    images, boxes, declared = columns
    spans = zip(images["names"].tolist(), images["name_lengths"].tolist(), strict=True)
    return Instances(
        image_ids=images["image_ids"],
        files=[
            str(text[start : start + length], "utf-8") if length >= 0 else None
            for start, length in spans
        ],
        sizes=np.stack([images["widths"], images["heights"]], axis=1),
        declared=_categories(decoded(text[declared], list[_LooseCategory], name), name),
        **boxes,
    )


def read_names(text: memoryview, name: str) -> tuple[dict[str, Any], list[Category], set[int]]:
    """Image ids by file name, the categories, and which of them have boxes; all but the images may
    be missing.

    Raises: DataError naming the file and the record.
    """
    file = decoded(text, _Names, name)
    ids = _ids([image.id for image in file.images], "images[{}]", name).tolist()
    used = _numbers(
        [annotation.category_id for annotation in file.annotations],
        "annotations[{}]",
        "category",
        whole,
        name,
    )
    files = [
        image.file_name or f"{number}.jpg" for image, number in zip(file.images, ids, strict=True)
    ]
    return (
        dict(zip(files, ids, strict=True)),
        _categories(file.categories, name),
        set(used.tolist()),
    )


def read_results(text: memoryview, name: str, *, lines: bool = False) -> Results:
    """lines: a record a line. Raises: DataError naming the file and the record."""
    results = None if lines else scan.results(text)
    return careful_results(text, name, lines=lines) if results is None else Results(**results)


def careful_instances(text: memoryview, name: str) -> Instances:
    """As `read_instances`, without the kernel."""
    file = decoded(text, _Instances, name)
    images, boxes = file.images, _with_boxes(file.annotations, name)
    return Instances(
        image_ids=_ids([image.id for image in images], "images[{}]", name),
        files=[image.file_name for image in images],
        sizes=np.array(
            [(image.width or 0, image.height or 0) for image in images], np.int64
        ).reshape(-1, 2),
        declared=_categories(file.categories, name),
        ids=_numbers(
            [UNKNOWN if box.id is None else box.id for box in boxes],
            "annotations[{}]",
            "id",
            whole,
            name,
        ),
        images=_ids([box.image_id for box in boxes], "annotations[{}]", name, mixed=True),
        categories=_numbers(
            [box.category_id for box in boxes], "annotations[{}]", "category", whole, name
        ),
        boxes=np.array([box.bbox for box in boxes], np.float64).reshape(-1, 4),
        areas=np.array([box.area for box in boxes], np.float64),  # None is NaN
        crowd=_numbers([box.iscrowd for box in boxes], "annotations[{}]", "iscrowd", flag, name),
    )


def _with_boxes(annotations: list[AnnotationRecord], name: str) -> list[AnnotationRecord]:
    """Annotations that have a box each: where the file has none, the one around the mask, whose
    pixels are the area if that is missing too. Raises: DataError naming one that has neither."""
    for at, annotation in enumerate(annotations):
        if annotation.bbox is not None:
            continue
        extent = box_and_area(bytes(annotation.segmentation))
        if extent is None:
            raise wrong(name, f"annotations[{at}] has no bbox, and no mask to take it from.")
        annotation.bbox, area = extent
        annotation.area = area if annotation.area is None else annotation.area
    return annotations


def careful_results(text: memoryview, name: str, *, lines: bool = False) -> Results:
    """As `read_results`, without the kernel."""
    file = decoded_lines(text, _Result, name) if lines else decoded(text, list[_Result], name)
    return Results(
        images=_ids([record.image_id for record in file], "Record [{}]", name, mixed=True),
        categories=_numbers(
            [record.category_id for record in file], "Record [{}]", "category", whole, name
        ),
        boxes=np.array([record.bbox for record in file], np.float64).reshape(-1, 4),
        scores=np.array([record.score for record in file], np.float64),
    )


def _categories(declared: Sequence[_LooseCategory], name: str) -> list[Category]:
    ids = _numbers(
        [category.id for category in declared], "categories[{}]", "id", whole, name
    ).tolist()
    categories = []
    for number, category in zip(ids, declared, strict=True):
        categories.append(
            Category(
                number,
                category.name,
                category.supercategory if isinstance(category.supercategory, str) else None,
            )
        )
    return categories


def _ids(values: list[Any], where: str, name: str, *, mixed: bool = False) -> NDArray[Any]:
    """Image ids as one column: whole numbers, or text. mixed: some may be text, and then all are.

    Raises: DataError naming the first that is neither.
    """
    kinds = set(map(type, values))
    if kinds == {str}:
        return np.array(values, np.str_)
    if str in kinds and not mixed:
        raise wrong(name, "Some image ids are numbers and some are text.")
    if str in kinds:
        numbers = [value if isinstance(value, str) else str(whole(value)) for value in values]
        _refuse_first(
            [None if text == "None" else text for text in numbers], values, where, "image id", name
        )
        return np.array(numbers, np.str_)
    return _numbers(values, where, "image id", whole, name)


def _numbers(
    values: list[Any], where: str, field_name: str, parse: Callable[[object], int | None], name: str
) -> NDArray[np.int64]:
    """One column of whole numbers. Raises: DataError naming the first that is none."""
    numbers = list(map(parse, values))
    _refuse_first(numbers, values, where, field_name, name)
    return np.array(numbers, np.int64)


def _refuse_first(
    parsed: Sequence[object], values: Sequence[object], where: str, field_name: str, name: str
) -> None:
    if None in parsed:
        at = parsed.index(None)
        kinds = {"iscrowd": "0 or 1", "image id": "a whole number of 64 bits, or text"}
        case = (
            f"{where.format(at)} has the {field_name} {values[at]!r:.60}, not "
            f"{kinds.get(field_name, 'a whole number of 64 bits')}."
        )
        raise wrong(name, case)
