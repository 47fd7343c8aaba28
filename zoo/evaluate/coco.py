"""COCO files for the evaluator: `instances.json` to ground truth, a results list to detections; a wrong record is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from zoo.data import GroundTruth
from zoo.data import coco as instances
from zoo.data.coco import Box, Int, decoded, wrong
from zoo.errors import DataError
from zoo.evaluate.policy import Policy


class _Result(msgspec.Struct):
    image_id: Int | str
    category_id: Int
    bbox: Box
    score: float


def read(path: str | Path, *, policy: Policy | None = None) -> GroundTruth:
    """The ground truth in a COCO `instances.json`; labels are its categories by ascending id.

    Raises: DataError naming the file and the record.
    """
    return instances.read(Path(path), missing_area=(policy or Policy()).missing_area).truth


def read_results(path: str | Path, truth: GroundTruth) -> tuple[list[Any], list[dict[str, NDArray[Any]]]]:
    """A COCO results list for `Evaluator.update(…, box_format="xywh")`: every image id of the data set, and its detections.

    Raises: DataError naming the file and the record.
    """
    name = str(path)
    _check_list(Path(path))
    file = decoded(Path(path), list[_Result])
    label_of = truth.space.label_of_id
    row_of = {image_id: row for row, image_id in enumerate(truth.image_ids.tolist())}
    for number, one in enumerate(file):
        if one.image_id not in row_of or one.category_id not in label_of:
            what = f"image {one.image_id!r}" if one.image_id not in row_of else f"category {one.category_id}"
            raise wrong(name, f"Record [{number}] is of {what}, which {truth.name} does not have.")
        if min(one.bbox[2:]) < 0:
            raise wrong(name, f"Record [{number}] has a negative width or height: {list(one.bbox)}.")
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


def _check_list(path: Path) -> None:
    """Raises: DataError for a JSON object, which belongs elsewhere."""
    if not path.is_file():
        return
    with path.open("rb") as file:
        if file.read(64).lstrip()[:1] == b"{":
            raise DataError(
                f"The results list '{path}' was to be read.",
                "It holds an object, and a results list is a list of detections.",
                "A report of zoo evaluate goes to zoo compare, an entry to zoo leaderboard check, annotations to --data.",
            )
