"""COCO's `instances.json` to a data set; a wrong record is named with its file."""

from __future__ import annotations

import mmap
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from zoo.data.dataset import Dataset, Photo
from zoo.data.ground_truth import GroundTruth
from zoo.errors import DataError, LabelError
from zoo.files import open_regular
from zoo.labels import LabelSpace
from zoo.labels.near import check_choice
from zoo.limits import TOO_DEEP

MOST_BOXES = 100_000  # in one image; more is a mistake, or meant to exhaust the machine
PLAIN = ("instances", "annotations", "_annotations.coco", "labels", "result")  # names that say nothing: the folder's says more

_Kind = TypeVar("_Kind")
_BYTE = re.compile(r"\(byte (\d+)\)")  # where msgspec says it stumbled
_NO_NUMBER = re.compile(rb"-?(NaN|Infinity)")
Int = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
Box = tuple[float, float, float, float]
_Size = Annotated[int, msgspec.Meta(ge=0, le=2**31)]


class _Image(msgspec.Struct):
    id: Int | str
    file_name: str | None = None
    width: _Size | None = None
    height: _Size | None = None


class _Annotation(msgspec.Struct):
    id: Int
    image_id: Int | str
    category_id: Int
    bbox: Box
    area: float | None = None
    iscrowd: int = 0


class _Category(msgspec.Struct):
    id: Int
    name: str


class _Instances(msgspec.Struct):
    images: list[_Image]
    categories: list[_Category]
    annotations: list[_Annotation] = []


def read(
    path: Path, *, images: str | None = None, name: str | None = None, missing_area: Literal["box", "refuse"] = "box"
) -> Dataset:
    """The data set of a COCO `instances.json`; labels are its categories by ascending id.

    images: the folder of the pictures; else they are looked for beside the file, and in the folders there and one level up.
    name:   what the data set is called; else the file's name, or its folder's where the file's says nothing.
    missing_area: a box without `area` has the box's own ("box"), or the file is refused ("refuse").
    Raises: DataError naming the file and the record.
    """
    path = Path(path)
    check_choice("missing_area", missing_area, ("box", "refuse"))
    if images is not None and not Path(images).expanduser().is_dir():
        raise DataError(f"{path} was read.", f"'{images}' is no folder.", "Name the folder of the pictures: images=FOLDER")
    file = decoded(path, _Instances)
    truth = _truth(file, str(path), missing_area)
    folder = Path(images).expanduser() if images is not None else _folder(path, file.images)
    photos = {one.id: _photo(one, number, folder, str(path)) for number, one in enumerate(file.images)}
    called = name or (path.absolute().parent.name if path.stem in PLAIN else path.stem)
    return Dataset(called, tuple(photos[image_id] for image_id in truth.image_ids.tolist()), truth)


def _truth(file: _Instances, name: str, missing_area: Literal["box", "refuse"]) -> GroundTruth:
    space = _space(file.categories, name)
    known = space.label_of_id
    for image_id, count in Counter(one.image_id for one in file.annotations).most_common(1):
        if count > MOST_BOXES:
            raise wrong(name, f"Image {image_id} has {count} boxes; more than {MOST_BOXES} are refused.")
    for number, one in enumerate(file.annotations):
        if one.category_id not in known:
            raise wrong(name, f"annotations[{number}] (id {one.id}) has category {one.category_id}, which is not declared.")
    boxes = {
        "image": _ids([one.image_id for one in file.annotations], name),
        "label": np.array([known[one.category_id] for one in file.annotations], np.int64),
        "box": np.array([one.bbox for one in file.annotations], np.float64).reshape(-1, 4),
        "area": _areas(file.annotations, missing_area, name),
        "crowd": np.array([one.iscrowd for one in file.annotations], np.int64),
        "id": np.array([one.id for one in file.annotations], np.int64),
    }
    images = {
        "id": _ids([one.id for one in file.images], name),
        "width": np.array([one.width or 0 for one in file.images], np.int64),
        "height": np.array([one.height or 0 for one in file.images], np.int64),
    }
    no_area = sum(one.area is None for one in file.annotations)
    return GroundTruth.of(images, boxes, space=space, box_format="xywh", name=name, no_area=no_area)


def _photo(image: _Image, number: int, folder: Path, name: str) -> Photo:
    """Raises: DataError for a file name that leads out of the folder: annotations come from anywhere."""
    file = image.file_name or f"{image.id}.jpg"
    inner = PurePosixPath(file.replace("\\", "/"))
    if inner.is_absolute() or ".." in inner.parts or ":" in file or "\0" in file:
        raise wrong(name, f"images[{number}] (id {image.id}) has the file name {file!r}, which leads out of the folder.")
    return Photo(image.id, folder / inner, image.width or None, image.height or None)


def _folder(path: Path, images: Sequence[_Image]) -> Path:
    """Where the first picture is; beside the annotations where it is nowhere near."""
    first = next((one.file_name for one in images if one.file_name), None)
    near = _near(path.absolute().parent)
    return next((folder for folder in near if first and os.path.isfile(folder / first)), path.parent)


def _near(parent: Path) -> Iterator[Path]:
    """The folder of the annotations, those in it, the one above it and those in that."""
    for folder in (parent, parent.parent):
        yield folder
        try:
            yield from sorted(one for one in folder.iterdir() if one.is_dir())
        except OSError:  # a folder that can't be listed holds nothing for us
            continue


def decoded(path: Path, kind: type[_Kind]) -> _Kind:
    """A JSON file as that type, which is checked while it is parsed. Raises: DataError naming the file and the field."""
    try:
        with open_regular(path) as file:
            if os.fstat(file.fileno()).st_size == 0:
                raise wrong(str(path), "The file is empty.")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                try:
                    return msgspec.json.decode(content, type=kind)
                except msgspec.DecodeError as why:
                    raise wrong(str(path), f"{_plainly(str(why), content) or why}.") from None
    except RecursionError:
        raise wrong(str(path), TOO_DEEP) from None
    except UnicodeDecodeError as why:
        raise wrong(str(path), f"{why}.") from None
    except (OSError, ValueError) as why:
        raise DataError(f"'{path}' was to be read.", f"{getattr(why, 'strerror', None) or why}.", "Check the path.") from None


def _plainly(why: str, content: mmap.mmap) -> str:
    """What is wrong in plain words: a list, another encoding, or numbers that Python writes and JSON does not have."""
    if why == "Expected `object`, got `array`":
        return "It is a list, as detections are; annotations are an object with images, categories and annotations"
    if content[:2] in (b"\xff\xfe", b"\xfe\xff") or content[:3] == b"\xef\xbb\xbf":
        return "It begins with a byte order mark, as Windows programs write it; JSON is UTF-8 without one"
    if (at := _BYTE.search(why)) and (found := _NO_NUMBER.search(content, max(0, int(at[1]) - 1), int(at[1]) + 12)):
        return f"Byte {found.start()} begins {found[0].decode()}, a number that JSON does not have"
    return ""


def _space(categories: Sequence[_Category], name: str) -> LabelSpace:
    by_id = sorted(categories, key=lambda category: category.id)
    for before, after in pairwise(by_id):
        if before.id == after.id:
            raise wrong(name, f"Category id {after.id} is declared twice, as '{before.name}' and '{after.name}'.")
    try:
        return LabelSpace("custom", tuple(one.name for one in by_id), tuple(one.id for one in by_id))
    except LabelError as why:  # what is wrong is in the file, and not between two label spaces
        raise wrong(name, f"Its categories are no label space: {why.case}") from None


def _ids(ids: Sequence[int | str], name: str) -> NDArray[Any]:
    """Image ids as one column. Raises: DataError where whole numbers and text are mixed."""
    kinds = {type(one) for one in ids}
    if len(kinds) > 1:
        raise wrong(name, "Some image ids are numbers and some are text.")
    return np.array(ids, np.str_ if kinds == {str} else np.int64)


def _areas(annotations: Iterable[_Annotation], missing: Literal["box", "refuse"], name: str) -> NDArray[np.float64]:
    """Each annotation's area; the box's where it says none and that is allowed."""
    areas = []
    for number, one in enumerate(annotations):
        if one.area is None and missing == "refuse":
            raise wrong(name, f"annotations[{number}] (id {one.id}) has no area, and the policy refuses to take the box's.")
        areas.append(one.bbox[2] * one.bbox[3] if one.area is None else one.area)
    return np.array(areas, np.float64)


def wrong(name: str, case: str) -> DataError:
    """The error for a file whose content can't be."""
    return DataError(f"{name} was read.", case, "Correct the file, or make it again.")
