"""Drops or corrects the impossible records of a table of boxes, and reports them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.box_tables import MAX_COORDINATE, BoxFormat
from zoo.data.columns import wholes
from zoo.data.finding import REPORTED, Finding
from zoo.data.image_ids import places
from zoo.data.values import UNKNOWN
from zoo.labels import LabelSpace

Table = dict[str, NDArray[Any]]


def sanitize(
    columns: Mapping[str, NDArray[Any]],
    image_ids: NDArray[Any],
    label_space: LabelSpace,
    box_format: BoxFormat,
    findings: list[Finding],
) -> Table:
    """The columns of boxes as `GroundTruth.of` takes them. Boxes of unknown images or classes, and
    those that are not four numbers, are left out; inverted ones get their corners swapped.

    findings: gets one for each of these boxes.
    """
    table = dict(columns)
    table["label"] = wholes(table["label"], "label", "the data set")
    table["box"] = table["box"].astype(np.float64).reshape(-1, 4)
    wrong = _impossible(table, image_ids, len(label_space))
    original = dict(table)
    table["box"], inverted = _swap_inverted(table["box"], box_format)
    wrong["inverted"] = inverted & ~wrong["not_finite"]
    wrong["annotation_id"] = _has_repeated_id(table)
    for check, rows in wrong.items():
        findings += [
            _finding(check, row, original, label_space, box_format)
            for row in np.flatnonzero(rows).tolist()
        ]
    if "area" in table and table["area"].dtype.kind in "iuf":
        area = table["area"].astype(np.float64)
        table["area"] = np.where((area >= 0) & (area <= MAX_COORDINATE), area, UNKNOWN)
    if "id" in table:
        table["id"] = np.where(wrong["annotation_id"], UNKNOWN, table["id"])
    dropped = wrong["unknown_image"] | wrong["unknown_class"] | wrong["not_finite"]
    keep = ~dropped & (table["label"] != REPORTED)
    return {name: column[keep] for name, column in table.items()}


def _impossible(
    table: Table, image_ids: NDArray[Any], classes: int
) -> dict[str, NDArray[np.bool_]]:
    """Check -> (n,) which boxes it finds."""
    labels = table["label"]
    listed = places(image_ids, table["image"])[1]
    unknown = ((labels < 0) | (labels >= classes)) & (labels != REPORTED)
    finite = (np.abs(table["box"]) <= MAX_COORDINATE).all(axis=1)
    return {"unknown_image": ~listed, "unknown_class": unknown, "not_finite": ~finite}


def _swap_inverted(
    box: NDArray[np.float64], box_format: BoxFormat
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """(n, 4) boxes with corners in the right order; and (n,) which had them in the wrong one."""
    corners = box.copy()
    if box_format == "xywh":
        corners[:, 2:] += box[:, :2]
    size = box[:, 2:] if box_format == "xywh" else box[:, 2:] - box[:, :2]
    inverted: NDArray[np.bool_] = np.asarray((size < 0).any(axis=1))
    low = np.minimum(corners[:, :2], corners[:, 2:])
    high = np.maximum(corners[:, :2], corners[:, 2:])
    swapped = np.concatenate([low, high - low if box_format == "xywh" else high], axis=1)
    return np.where(inverted[:, None], swapped, box), inverted


def _has_repeated_id(table: Table) -> NDArray[np.bool_]:
    """(n,) whether an earlier annotation has the same id."""
    count = len(table["label"])
    if "id" not in table or table["id"].dtype.kind not in "iu":
        return np.zeros(count, bool)
    first = np.unique(table["id"], return_index=True)[1]
    repeated = np.ones(count, bool)
    repeated[first] = False
    repeated &= table["id"] != UNKNOWN
    return repeated


def _finding(
    check: str, row: int, table: Table, label_space: LabelSpace, box_format: BoxFormat
) -> Finding:
    """The finding of one box; its corners are as they were annotated."""
    label = int(table["label"][row])
    name = label_space.names[label] if 0 <= label < len(label_space) else None
    box = table["box"][row].copy()
    if box_format == "xywh":
        box[2:] += box[:2]
    numbers = tuple(float(f"{value:.8g}") for value in box.tolist())
    messages = {
        "unknown_image": "Its image is not listed.",
        "unknown_class": "Its class is not declared.",
        "not_finite": "It is not four numbers.",
        "inverted": "It ended before it began.",
        "annotation_id": "Another annotation has its id.",
    }
    return Finding(check, messages[check], str(table["image"][row]), None, numbers, name)
