"""COCO files: `instances.json` to ground truth, a results list to detections; a wrong record is named with its file."""

from __future__ import annotations

import mmap
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from zoo.errors import DataError
from zoo.evaluate.ground_truth import GroundTruth
from zoo.evaluate.policy import Policy
from zoo.labels import LabelSpace

MOST_BOXES = 100_000  # in one image; more is a mistake, or meant to exhaust the machine

_Kind = TypeVar("_Kind")
_Int = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_Box = tuple[float, float, float, float]


class _Image(msgspec.Struct):
    id: _Int | str
    width: _Int | None = None
    height: _Int | None = None


class _Annotation(msgspec.Struct):
    id: _Int
    image_id: _Int | str
    category_id: _Int
    bbox: _Box
    area: float | None = None
    iscrowd: int = 0


class _Category(msgspec.Struct):
    id: _Int
    name: str


class _Instances(msgspec.Struct):
    images: list[_Image]
    categories: list[_Category]
    annotations: list[_Annotation] = []


class _Result(msgspec.Struct):
    image_id: _Int | str
    category_id: _Int
    bbox: _Box
    score: float


def read(path: str | Path, *, policy: Policy | None = None) -> GroundTruth:
    """The ground truth in a COCO `instances.json`; labels are its categories by ascending id.

    Raises: DataError naming the file and the record.
    """
    name = str(path)
    file = _decoded(Path(path), _Instances)
    space = _space(file.categories, name)
    known = space.label_of_id
    for image_id, count in Counter(one.image_id for one in file.annotations).most_common(1):
        if count > MOST_BOXES:
            raise _wrong(name, f"Image {image_id} has {count} boxes; more than {MOST_BOXES} are refused.")
    for number, one in enumerate(file.annotations):
        if one.category_id not in known:
            raise _wrong(name, f"annotations[{number}] (id {one.id}) has category {one.category_id}, which is not declared.")
    boxes = {
        "image": _ids([one.image_id for one in file.annotations], name),
        "label": np.array([known[one.category_id] for one in file.annotations], np.int64),
        "box": np.array([one.bbox for one in file.annotations], np.float64).reshape(-1, 4),
        "area": _areas(file.annotations, policy or Policy(), name),
        "crowd": np.array([one.iscrowd for one in file.annotations], bool),
        "id": np.array([one.id for one in file.annotations], np.int64),
    }
    images = {
        "id": _ids([one.id for one in file.images], name),
        "width": np.array([one.width or 0 for one in file.images], np.int64),
        "height": np.array([one.height or 0 for one in file.images], np.int64),
    }
    return GroundTruth.of(images, boxes, space=space, box_format="xywh", name=name)


def read_results(path: str | Path, truth: GroundTruth) -> tuple[list[Any], list[dict[str, NDArray[Any]]]]:
    """A COCO results list for `Evaluator.update(…, box_format="xywh")`: every image id of the data set, and its detections.

    Raises: DataError naming the file and the record.
    """
    name = str(path)
    file = _decoded(Path(path), list[_Result])
    label_of = truth.space.label_of_id
    row_of = {image_id: row for row, image_id in enumerate(truth.image_ids.tolist())}
    for number, one in enumerate(file):
        if one.image_id not in row_of or one.category_id not in label_of:
            what = f"image {one.image_id!r}" if one.image_id not in row_of else f"category {one.category_id}"
            raise _wrong(name, f"Record [{number}] is of {what}, which {truth.name} does not have.")
        if min(one.bbox[2:]) < 0:
            raise _wrong(name, f"Record [{number}] has a negative width or height: {list(one.bbox)}.")
    rows = np.array([row_of[one.image_id] for one in file], np.int64)
    order = np.argsort(rows, kind="stable")
    edges = np.searchsorted(rows[order], np.arange(1, max(len(truth), 1)))
    columns = {
        "boxes": np.array([one.bbox for one in file], np.float64).reshape(-1, 4),
        "scores": np.array([one.score for one in file], np.float64),
        "labels": np.array([label_of[one.category_id] for one in file], np.int64),
    }
    split = {column: np.split(values[order], edges) for column, values in columns.items()}
    return truth.image_ids.tolist(), [{column: split[column][row] for column in split} for row in range(len(truth))]


def _decoded(path: Path, kind: type[_Kind]) -> _Kind:
    try:
        with path.open("rb") as file:
            if path.stat().st_size == 0:
                raise _wrong(str(path), "The file is empty.")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as why:
        raise _wrong(str(path), f"{why}.") from None
    except OSError as why:
        raise DataError(f"{path} was to be read.", f"That failed: {why}.", "Check the path.") from None


def _space(categories: Sequence[_Category], name: str) -> LabelSpace:
    by_id = sorted(categories, key=lambda category: category.id)
    for before, after in pairwise(by_id):
        if before.id == after.id:
            raise _wrong(name, f"Category id {after.id} is declared twice, as '{before.name}' and '{after.name}'.")
    return LabelSpace("custom", tuple(one.name for one in by_id), tuple(one.id for one in by_id))


def _ids(ids: Sequence[int | str], name: str) -> NDArray[Any]:
    """Image ids as one column. Raises: DataError where whole numbers and text are mixed."""
    kinds = {type(one) for one in ids}
    if len(kinds) > 1:
        raise _wrong(name, "Some image ids are numbers and some are text.")
    return np.array(ids, np.str_ if kinds == {str} else np.int64)


def _areas(annotations: Sequence[_Annotation], policy: Policy, name: str) -> NDArray[np.float64]:
    """Each annotation's area; the box's where it says none and the policy allows it."""
    for number, one in enumerate(annotations):
        if one.area is None and policy.missing_area == "refuse":
            raise _wrong(name, f"annotations[{number}] (id {one.id}) has no area, and the policy refuses to take the box's.")
    areas = [one.bbox[2] * one.bbox[3] if one.area is None else one.area for one in annotations]
    return np.array(areas, np.float64)


def _wrong(name: str, case: str) -> DataError:
    return DataError(f"{name} was read.", case, "Correct the file, or make it again.")
