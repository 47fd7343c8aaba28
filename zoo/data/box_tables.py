"""Tables of annotated boxes: columns read from mappings, and the checks that every record
passes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zoo.data.columns import areas, flags, identities, wholes
from zoo.data.image_ids import column_of
from zoo.errors import DataError
from zoo.text import pluralize

MAX_COORDINATE = 1e30  # no image is so large; far beyond it an area would overflow


BoxFormat = Literal["xyxy", "xywh"]


COLUMNS = ("image", "label", "box", "area", "crowd", "id")


def with_defaults(
    table: Mapping[str, NDArray[Any]], box: NDArray[np.float64], name: str
) -> tuple[dict[str, NDArray[Any]], int]:
    """The columns with defaults for missing ones, and the number of unknown areas.

    Raises: DataError naming the record.
    """
    columns = {
        "area": box[:, 2] * box[:, 3],
        "crowd": np.zeros(len(box)),
        "id": np.arange(1, len(box) + 1),
    } | dict(table)
    columns["label"] = wholes(columns["label"], "label", name)
    columns["crowd"] = flags(columns["crowd"], name)
    columns["id"] = identities(columns["id"], name)
    columns["area"], unknown = areas(columns["area"], box, name)
    return columns, unknown


def check_corners(table: Mapping[str, NDArray[Any]], box_format: BoxFormat, name: str) -> None:
    """Raises: DataError for corners in the wrong order, which are mostly sizes."""
    boxes = table["box"]
    wrong = (
        np.flatnonzero((boxes[:, 2:] < boxes[:, :2]).any(1)).tolist()
        if box_format == "xyxy"
        else []
    )
    for row in wrong[:1]:
        ends = "ends before it begins" if len(wrong) == 1 else "end before they begin"
        many = f"{len(wrong):,} of {pluralize(len(boxes), 'box', 'boxes')} {ends}"
        case = (
            f"{many}, first record [{row}] of image {table['image'][row].item()!r}: "
            f"{boxes[row].tolist()}."
        )
        raise DataError(
            f"{name} was read.", case, "Are these boxes x, y, width, height? box_format='xywh'"
        )


def check_records(
    table: Mapping[str, NDArray[Any]], xywh: NDArray[np.float64], classes: int, name: str
) -> None:
    """Raises: DataError naming the first annotation, in the order given, whose numbers can't be."""
    # Contiguous columns: checking rows of four takes several times as long.
    x, y, width, height = np.ascontiguousarray(xywh.T)
    inside = (
        (np.abs(x) <= MAX_COORDINATE)
        & (np.abs(y) <= MAX_COORDINATE)
        & (np.abs(width) <= MAX_COORDINATE)
        & (np.abs(height) <= MAX_COORDINATE)
    )
    wrong = {
        "a label outside the label space": (table["label"] < 0) | (table["label"] >= classes),
        "a coordinate that is not finite": ~inside,
        "a negative width or height": (width < 0) | (height < 0),
        "a crowd that is neither 0 nor 1": (table["crowd"] != 0) & (table["crowd"] != 1),
        "an area that is negative or not finite": ~(
            (table["area"] >= 0) & (table["area"] <= MAX_COORDINATE)
        ),
    }
    for fault, rows in wrong.items():
        if rows.any():
            row = int(np.flatnonzero(rows)[0])
            raise DataError(
                f"{name} was read.",
                f"Annotation {table['id'][row]} of image {table['image'][row]}, record [{row}], "
                f"has {fault}: "
                f"label {table['label'][row]}, box {xywh[row].tolist()} (x, y, width, height), "
                f"area {table['area'][row]}.",
                "Correct or remove that annotation.",
            )


def table_of(columns: Mapping[str, ArrayLike], name: str) -> dict[str, NDArray[Any]]:
    """Raises: DataError naming a column whose rows are not alike."""
    return {key: column_of(value, f"column '{key}'", name) for key, value in columns.items()}


def to_xywh(boxes: NDArray[Any], box_format: BoxFormat) -> NDArray[np.float64]:
    xywh: NDArray[np.float64] = boxes.astype(np.float64)
    if box_format == "xyxy":
        xywh[:, 2:] -= xywh[:, :2]
    return xywh


def check_columns(
    table: dict[str, NDArray[Any]], about: dict[str, NDArray[Any]], name: str
) -> None:
    """Raises: DataError for a column that is missing, or has another length or shape than the
    rest."""
    failure = f"{name} was read."
    missing = [column for column in COLUMNS[:3] if column not in table] + (
        ["id of the images"] if "id" not in about else []
    )
    if missing:
        raise DataError(
            failure,
            f"It has no column {', '.join(missing)}.",
            "Give the boxes' columns image, label and box.",
        )
    if "iscrowd" in table:
        raise DataError(
            failure,
            "It has a column 'iscrowd', which would be an attribute to slice by.",
            "Call it 'crowd'.",
        )
    count = len(table["label"])
    if len(table["box"]) and table["box"].dtype.kind not in "iuf":
        raise DataError(
            failure, f"Its column 'box' is {table['box'].dtype}.", "Give four numbers a box."
        )
    if count == 0:
        table["label"] = table["label"].astype(np.int64)
        table["box"] = table["box"].reshape(0, 4)
    shapes = {column: (count, 4) if column == "box" else (count,) for column in table}
    wrong = {
        column: value.shape for column, value in table.items() if value.shape != shapes[column]
    }
    wrong |= {
        column: value.shape for column, value in about.items() if value.shape != (len(about["id"]),)
    }
    if wrong:
        column, shape = next(iter(wrong.items()))
        raise DataError(
            failure,
            f"Column '{column}' is {shape}; there are {pluralize(count, 'box', 'boxes')} and "
            f"{pluralize(len(about['id']), 'image')}.",
            "Give one row a box or image.",
        )
