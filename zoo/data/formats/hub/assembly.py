"""Gathered rows as a data set: ids, classes, and boxes in pixels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.assemble import Found
from zoo.data.dataset import Dataset
from zoo.data.finding import REPORTED, current_findings
from zoo.data.formats.hub.box_format import BoxForm, corners_and_sizes, form_of
from zoo.data.formats.hub.columns import SIZES
from zoo.data.formats.hub.gathered import Gathered
from zoo.data.formats.hub.options import HubOptions
from zoo.data.formats.hub.readme import class_names
from zoo.data.formats.hub.repository import RepositoryFiles
from zoo.data.image_files import stem
from zoo.data.split_lists import in_order
from zoo.data.values import UNKNOWN, whole
from zoo.errors import DataError, LabelError
from zoo.labels import LabelSpace
from zoo.labels.space import tidy
from zoo.text import join_first

MAX_CLASSES_SHOWN = 8  # classes that a message has
_LARGEST_SIDE = 2**31


def dataset_of(
    gathered: Gathered, files: RepositoryFiles, options: HubOptions, notes: Sequence[str]
) -> Dataset:
    """The data set. Raises: DataError naming what can't be."""
    rows, columns = gathered.rows, gathered.rows.columns
    names = _file_names(gathered)
    ids, id_notes = _ids(gathered, names, options, files)
    space, labels, class_notes = _classes(gathered, options, files)
    sizes = _sizes(gathered)
    owners = rows.rows
    column = rows.boxes(columns.boxes)
    boxes = np.zeros((0, 4)) if column is None else column.reshape(-1, 4)
    of_boxes = np.where(sizes > 0, sizes, np.nan)[owners]
    form = form_of(boxes, of_boxes, _areas(gathered), options)
    labels = _drop_unlocated(labels, form, of_boxes, owners, names, files)
    parts = Found(
        name=options.name or files.called,
        label_space=space,
        ids=ids,
        files=names,
        sizes=sizes,
        rows=owners,
        boxes={"label": labels, "box": corners_and_sizes(boxes, form, np.nan_to_num(of_boxes))}
        | _optional(gathered),
        box_format="xywh",
        annotations=files.folder,
        folder=files.folder,
        image_attributes=_image_attributes(gathered),
        splits=_splits(gathered.splits),
        notes=[*notes, *filter(None, [form.note, *id_notes, *class_notes]), *gathered.notes],
    )
    return _with_images(parts, gathered)


def _with_images(parts: Found, gathered: Gathered) -> Dataset:
    data = parts.dataset()
    ids = np.array(parts.ids) if len(parts.ids) else np.zeros(0, np.str_)
    order = np.argsort(ids, kind="stable")
    held: Any = data.images
    records = gathered.records(data.truth.image_ids, held.files, held.sizes, order)
    return replace(data, images=records)


def _file_names(gathered: Gathered) -> list[str]:
    """A name for each image, none twice: its own, with its split in front where several have it, or
    one by its number."""
    paths, splits = gathered.paths, gathered.splits
    if None not in paths and len(set(paths)) == len(paths):
        return [str(path) for path in paths]
    names = [
        f"{split}/{path}" if split else path for split, path in zip(splits, paths, strict=True)
    ]
    counts = Counter(name for name, path in zip(names, paths, strict=True) if path is not None)
    unique_names = []
    for row, (name, path) in enumerate(zip(names, paths, strict=True)):
        unique = path is not None and counts[name] == 1
        below = f"{splits[row]}/" if splits[row] else ""
        unique_names.append(str(name) if unique else f"{below}{row:08d}{gathered.suffix_of(row)}")
    return unique_names


def _ids(
    gathered: Gathered, names: Sequence[str], options: HubOptions, files: RepositoryFiles
) -> tuple[Sequence[Any], list[str]]:
    """The ids of the images, and what has to be said of them. Raises: DataError for ids that a
    person named and that can't be ids."""
    column = gathered.rows.columns.image_id
    ids = gathered.rows.of_images(column) if column else []
    numbers = [whole(value) for value in ids]
    if ids and None not in numbers:
        ids = numbers
    texts = all(isinstance(value, str) for value in ids)
    usable = bool(ids) and (None not in numbers or texts)
    if usable and len(set(ids)) == len(ids):
        return ids, []
    named = [f"{split}/{image_id}" for split, image_id in zip(gathered.splits, ids, strict=False)]
    if usable and len(set(named)) == len(named):
        return named, ["Several splits share image ids: an image is called SPLIT/ID here."]
    if options.id is not None:
        case = f"Its column '{column}' has no ids: some are missing, or there twice."
        raise DataError(f"Data set '{files.address}' can't be read.", case, "Leave id= out.")
    stems = [stem(name) for name in names]
    return (stems if len(set(stems)) == len(stems) else names), []


def _classes(
    gathered: Gathered, options: HubOptions, files: RepositoryFiles
) -> tuple[LabelSpace, NDArray[np.int64], list[str]]:
    """The classes, the label of each box, and what has to be said of them. Raises: DataError."""
    failure = f"Data set '{files.address}' can't be read."
    columns = gathered.rows.columns
    column = gathered.rows.boxes(columns.labels)
    values = np.zeros(0, np.int64) if column is None else column
    declared = tuple(options.names.split("|")) if options.names else ()
    for features in gathered.features:
        declared = declared or class_names(features, columns.label_path)
    texts = values.dtype.kind == "U"
    names = tuple(map(tidy, declared))
    notes = []
    if not names and texts:
        names = tuple(sorted({tidy(text) for text in np.unique(values).tolist()} - {""}))
    numbers = np.zeros(0, np.int64) if texts else _numbers(values)
    ids: tuple[int, ...] = ()
    if not names and len(numbers):
        ids = tuple(number for number in np.unique(numbers).tolist() if number >= 0)
        names = tuple(map(str, ids))
        notes = ["Nothing says what its classes are called: they are their numbers. ,names=A|B|C"]
    if not names:
        case = "It has no box, and nothing else says what the classes are."
        raise DataError(failure, case, "Say it: ,names=A|B|C")
    try:
        space = LabelSpace("custom", names, ids)
    except LabelError as error:
        fix = "Name the column of classes, ,labels=COLUMN, or the classes, ,names=A|B|C"
        raise DataError(failure, error.case, fix) from None
    label_of: Mapping[Any, int] = (
        {name: label for label, name in enumerate(space.names)} if texts else space.label_of_id
    )
    different, where = np.unique(values if texts else numbers, return_inverse=True)
    labels = [label_of.get(tidy(value) if texts else value, -1) for value in different.tolist()]
    if -1 in labels and current_findings() is None:
        case = f"Boxes are of class {different.tolist()[labels.index(-1)]!r:.80}, which has no name"
        fix = "Correct them, or name all classes: ,names=A|B|C; zoo data check finds such boxes."
        raise DataError(
            failure, f"{case}; there are {join_first(space.names, MAX_CLASSES_SHOWN)}.", fix
        )
    return space, np.array(labels, np.int64)[where.reshape(-1)] if len(labels) else numbers, notes


def _numbers(values: NDArray[Any]) -> NDArray[np.int64]:
    """Numbers of classes, -1 for what is none."""
    if values.dtype.kind in "iu":
        return values.astype(np.int64)
    plain = np.nan_to_num(values.astype(np.float64), nan=UNKNOWN)
    return np.where(plain == plain.round(), plain, UNKNOWN).astype(np.int64)


def _sizes(gathered: Gathered) -> NDArray[np.int64]:
    """(m, 2) as annotated; where nothing says it, those of the files."""
    count = gathered.rows.count
    sizes = np.zeros((count, 2), np.int64)
    for axis, name in enumerate(SIZES):
        values = np.array(gathered.rows.of_images(name), object)
        numbers = [whole(value) or 0 for value in values.tolist()]
        sizes[:, axis] = np.clip(numbers, 0, _LARGEST_SIDE) if count else 0
    unknown = np.flatnonzero((sizes <= 0).any(axis=1))
    if len(unknown):
        sizes[unknown] = gathered.sizes_of(unknown)
    return sizes


def _areas(gathered: Gathered) -> NDArray[np.float64] | None:
    areas = gathered.rows.boxes(gathered.rows.columns.area)
    return None if areas is None or areas.dtype.kind not in "iuf" else areas.astype(np.float64)


def _drop_unlocated(
    labels: NDArray[np.int64],
    form: BoxForm,
    sizes: NDArray[np.float64],
    owners: NDArray[np.int64],
    names: Sequence[str],
    files: RepositoryFiles,
) -> NDArray[np.int64]:
    """The labels, where boxes in fractions of an image whose size nobody knows are taken out.
    Raises: DataError naming one, unless findings are collected."""
    lost = np.isnan(sizes).any(axis=1) if form.fractions else np.zeros(len(labels), bool)
    if lost.any() and current_findings() is None:
        image = names[int(owners[lost][0])]
        case = f"Boxes are fractions of '{image}', which is missing or can't be read."
        fix = "Replace the image; zoo data check names all of them."
        raise DataError(f"Data set '{files.address}' can't be read.", case, fix)
    return np.where(lost, REPORTED, labels)


def _optional(gathered: Gathered) -> dict[str, Any]:
    """Area, crowd and id of the boxes where they are there, and what else is said of them."""
    columns = gathered.rows.columns
    name_of = {"area": columns.area, "crowd": columns.crowd, "id": columns.id}
    name_of |= {name: name for name in columns.others if name not in name_of}
    values_of = {key: gathered.rows.boxes(name) for key, name in name_of.items()}
    optional = {key: values for key, values in values_of.items() if values is not None}
    if "id" in optional and not _are_ids(optional["id"]):
        optional.pop("id")
    if "crowd" in optional and optional["crowd"].dtype.kind == "f":
        optional["crowd"] = np.nan_to_num(optional["crowd"], nan=0)
    return optional


def _are_ids(values: NDArray[Any]) -> bool:
    """Whether numbers tell boxes apart: in many data sets they begin again in every split."""
    if values.dtype.kind not in "iu":
        return False
    return len(np.unique(values)) == len(values)


def _image_attributes(gathered: Gathered) -> dict[str, NDArray[Any]]:
    """Other columns of images, if they have a value for all of them."""
    rows, attributes = gathered.rows, {}
    for name in rows.image_names:
        values = rows.of_images(name)
        kinds = {type(value) for value in values}
        if name in (*SIZES, rows.columns.image_id, "id") or len(kinds - {int, float}) > 1:
            continue
        if kinds and kinds <= {int, float, bool, str} and not (str in kinds and len(kinds) > 1):
            attributes[name] = np.array(values)
    return attributes


def _splits(names: Sequence[str]) -> dict[str, list[int]]:
    rows_of: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        if name:
            rows_of.setdefault(name, []).append(row)
    return in_order(rows_of)
