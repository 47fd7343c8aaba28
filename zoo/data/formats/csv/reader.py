"""Tables of boxes to a data set; a wrong row is named with its file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.assemble import Found
from zoo.data.box_tables import BoxFormat
from zoo.data.dataset import Dataset
from zoo.data.formats.csv.columns import CORNERS, OF_IMAGE, OWN_ID, SIDES, attributes, meanings
from zoo.data.formats.csv.options import CsvOptions
from zoo.data.formats.csv.table import numbers, read_table, typed_column
from zoo.data.image_files import upright_sizes
from zoo.data.image_records import FolderRecords
from zoo.data.split_lists import in_order
from zoo.data.values import whole
from zoo.errors import DataError, LabelError
from zoo.labels import LabelSpace
from zoo.labels.space import tidy

TextColumns = dict[str, Sequence[str]]


def read(path: Path, options: CsvOptions) -> Dataset:
    """The data set of a file with a row per box. A row whose box is empty is an image without any.

    An image's id is in a column `image_id`, or its file's name. Classes are sorted by name, or by
    a column `class_id`. Columns that have no meaning here are attributes.
    Raises: DataError naming file and row, or the split that there is not.
    """
    path = _only_file(path) if path.is_dir() else path
    column_names = options.columns.split() if options.columns else ()
    header, table = read_table(path, column_names)
    at = meanings(header, options, str(path))
    columns: TextColumns = {key: table[place] for key, place in at.items()}
    others = {name: table[place] for name, place in attributes(header, at).items()}
    files = list(dict.fromkeys(columns["image"]))
    row_of = {name: row for row, name in enumerate(files)}
    rows = np.fromiter((row_of[name] for name in columns["image"]), np.int64, len(columns["image"]))
    first = np.full(len(files), -1, np.int64)
    first[rows[::-1]] = np.arange(len(rows))[::-1]  # (m,) the first row of each image
    sizes = _sizes(columns, first, path)
    boxes, box_format = _boxes(columns, path)
    complete = _complete(boxes, path)
    if options.fractions:
        boxes = boxes * np.tile(_known_sizes(sizes, files, path, options), 2)[rows]
    space, labels = _labels(columns, np.flatnonzero(complete), path)
    parts = Found(
        name=options.name or path.stem,
        label_space=space,
        ids=_ids(columns, first, files),
        files=files,
        sizes=sizes,
        rows=rows[complete],
        boxes={"label": labels, "box": boxes[complete]}
        | _optional(columns, others, complete, path),
        box_format=box_format,
        annotations=path,
        folder=options.images,
        image_attributes=_of_images(others, first),
        splits=_splits(columns, rows),
    )
    data = parts.dataset()
    return data if options.split is None else data.splits[options.split]


def _only_file(folder: Path) -> Path:
    """The CSV file in a folder. Raises: DataError where there is none, or several."""
    files = _tables(folder)
    if len(files) == 1:
        return files[0]
    case = f"It has {len(files)} CSV files."
    raise DataError(f"{folder} can't be read as CSV.", case, "Name the file.")


def _tables(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.suffix.lower() == ".csv")


def recognise(folder: Path) -> bool:
    """Whether there is one CSV file in a folder, and it has the columns of boxes."""
    files = _tables(folder)
    if len(files) != 1:
        return False
    try:
        meanings(read_table(files[0])[0], CsvOptions(), str(files[0]))
    except DataError:
        return False
    return True


def _complete(boxes: NDArray[np.float64], path: Path) -> NDArray[np.bool_]:
    """The rows that have a box. Raises: DataError for a part of one."""
    missing = np.isnan(boxes)
    some = missing.any(axis=1) & ~missing.all(axis=1)
    if some.any():
        row = int(np.flatnonzero(some)[0])
        case = f"Record [{row}] has a part of a box: {boxes[row].tolist()}."
        raise DataError(f"'{path}' was read.", case, "Give all four numbers, or none of them.")
    complete: NDArray[np.bool_] = ~missing[:, 0]
    return complete


def _boxes(columns: TextColumns, path: Path) -> tuple[NDArray[np.float64], BoxFormat]:
    corners = set(CORNERS) <= columns.keys()
    names = CORNERS if corners else SIDES
    sides = [numbers(columns[name], name, path) for name in names]
    boxes = np.stack(sides, axis=1) if len(sides[0]) else np.zeros((0, 4))
    return boxes, "xyxy" if corners else "xywh"


def _sizes(columns: TextColumns, first: NDArray[np.int64], path: Path) -> NDArray[np.int64]:
    """(m, 2) as the first row of each image has them."""
    sizes = np.zeros((len(first), 2), np.int64)
    if "width" in columns and "height" in columns:
        for axis, name in enumerate(("width", "height")):
            column = numbers(columns[name], name, path)[first]
            sizes[:, axis] = np.nan_to_num(np.clip(column, 0, 2**31))
    return sizes


def _known_sizes(
    sizes: NDArray[np.int64], files: Sequence[str], path: Path, options: CsvOptions
) -> NDArray[np.int64]:
    """The sizes, from the files where the table has none. Raises: DataError naming an image."""
    if (sizes > 0).all():
        return sizes
    records = FolderRecords(np.array(files), files, sizes, path, options.images)
    complete = np.where(sizes > 0, sizes, upright_sizes([record.path for record in records]))
    if (complete == 0).any():
        name = files[int(np.flatnonzero((complete == 0).any(axis=1))[0])]
        case = f"Boxes are fractions of images, and the size of '{name}' is not known."
        raise DataError(f"'{path}' was read.", case, "Give the folder of the images: images=FOLDER")
    return complete


def _labels(
    columns: TextColumns, rows: NDArray[np.int64], path: Path
) -> tuple[LabelSpace, NDArray[np.int64]]:
    """The classes, and the label of each box."""
    names = [tidy(columns["label"][row]) for row in rows.tolist()]
    numbered: dict[str, int] = {}
    if "class_id" in columns:
        number_of = {text: whole(text.strip()) for text in set(columns["class_id"])}
        ids = [number_of[columns["class_id"][row]] for row in rows.tolist()]
        pairs = set(zip(names, ids, strict=True))
        if len(pairs) == len(set(names)) == len(set(ids)) and None not in ids:
            numbered = {name: number for name, number in pairs if number is not None}
    listed = sorted(numbered, key=numbered.__getitem__) if numbered else sorted(set(names))
    if not listed:
        case = "It has no box, so that nothing says what the classes are."
        raise DataError(f"'{path}' was read.", case, "Add a row with a class.")
    try:
        space = LabelSpace(
            "custom", tuple(listed), tuple(numbered[name] for name in listed if numbered)
        )
    except LabelError as error:
        fix = "Name the column of classes: label=COLUMN"
        raise DataError(f"'{path}' was read.", error.case, fix) from None
    label_of = {name: label for label, name in enumerate(listed)}
    return space, np.fromiter((label_of[name] for name in names), np.int64, len(names))


def _ids(columns: TextColumns, first: NDArray[np.int64], files: Sequence[str]) -> Sequence[Any]:
    if OWN_ID not in columns:
        return files
    texts = [columns[OWN_ID][row] for row in first.tolist()]
    ids = [whole(text) for text in texts]
    return texts if None in ids else ids


def _optional(
    columns: TextColumns,
    others: Mapping[str, Sequence[str]],
    complete: NDArray[np.bool_],
    path: Path,
) -> dict[str, NDArray[Any]]:
    """Area, crowd and id of the boxes where the table has them, and other columns."""
    optional: dict[str, NDArray[Any]] = {
        name: numbers(columns[name], name, path)[complete]
        for name in ("area", "crowd", "id")
        if name in columns
    }
    rows = np.flatnonzero(complete).tolist()
    for name, column in others.items():
        if not name.startswith(OF_IMAGE):
            optional[name] = typed_column([column[row] for row in rows])
    return optional


def _of_images(
    others: Mapping[str, Sequence[str]], first: NDArray[np.int64]
) -> dict[str, NDArray[Any]]:
    rows = first.tolist()
    return {
        name.removeprefix(OF_IMAGE): typed_column([column[row] for row in rows])
        for name, column in others.items()
        if name.startswith(OF_IMAGE)
    }


def _splits(columns: TextColumns, rows: NDArray[np.int64]) -> dict[str, list[int]]:
    """Splits by the column `split`, in which an image may have several with `|` between."""
    members_of: dict[str, dict[int, None]] = {}
    for text, row in zip(columns.get("split", ()), rows.tolist(), strict=False):
        for name in filter(None, (part.strip() for part in text.split("|"))):
            members_of.setdefault(name, {})[row] = None
    return in_order({name: list(members) for name, members in members_of.items()})
