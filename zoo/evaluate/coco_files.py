"""COCO files for the evaluator: `instances.json` to ground truth, a results list to detections; a
wrong record is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data import GroundTruth
from zoo.data.formats.coco import reader as instances
from zoo.data.formats.coco.options import CocoOptions
from zoo.data.formats.coco.reader import labels_of
from zoo.data.formats.coco.records import Results
from zoo.data.formats.coco.records import read_results as read_records
from zoo.data.image_ids import places
from zoo.data.json_file import content, wrong
from zoo.data.offsets import starts_of
from zoo.errors import DataError
from zoo.evaluate.coco.flatten import FlatDetections
from zoo.evaluate.diagnostics.class_ids import numbering
from zoo.evaluate.policy import EdgeCasePolicy
from zoo.text import is_are, pluralize

SUFFIXES = (".json", ".jsonl", ".json.gz", ".jsonl.gz")  # of results lists
LINES = (".jsonl", ".jsonl.gz")


def read(path: str | Path, *, policy: EdgeCasePolicy | None = None) -> GroundTruth:
    """The ground truth in a COCO `instances.json`; labels are its categories by ascending id.

    Raises: DataError naming the file and the record.
    """
    options = CocoOptions(missing_area=(policy or EdgeCasePolicy()).missing_area)
    return instances.read_file(Path(path), options).truth


def read_results(
    path: str | Path, truth: GroundTruth
) -> tuple[list[Any], list[dict[str, NDArray[Any]]]]:
    """A COCO results list for `Evaluator.update(…, box_format="xywh")`: every image id of the data
    set, and its detections.

    path: a list in a `.json`, or a detection a line in a `.jsonl`; gzip may have packed it
        (`.json.gz`).
    Raises: DataError naming the file and the record.
    """
    flat = read_flat(path, truth)
    edges = flat.starts[1:-1]
    split = {
        "boxes": np.split(flat.boxes, edges),
        "scores": np.split(flat.scores, edges),
        "labels": np.split(flat.labels, edges),
    }
    images = [{column: split[column][row] for column in split} for row in range(len(truth))]
    return truth.image_ids.tolist(), images


def read_flat(path: str | Path, truth: GroundTruth) -> FlatDetections:
    """A results list as flat arrays, image by image in the order of the data set's, in each as in
    the file.

    Raises: DataError naming the file and the record.
    """
    file = Path(path)
    text = content(file)
    lines = file.name.endswith(LINES)
    if not lines:
        _check_list(text, file)
    results = read_records(text, str(path), lines=lines)
    rows, labels = _rows_and_labels(results, truth, str(path))
    boxes, scores = results.boxes, results.scores
    if (np.diff(rows) < 0).any():
        order = np.argsort(rows, kind="stable")
        boxes, scores, labels = boxes[order], scores[order], labels[order]
    return FlatDetections(
        starts_of(np.bincount(rows, minlength=len(truth))), boxes, scores, labels, {}, "xywh"
    )


def _rows_and_labels(
    results: Results, truth: GroundTruth, name: str
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(n,) images as rows of the data set, and labels. Raises: DataError naming the first record
    that can't be."""
    rows, exists = places(truth.image_ids, results.images)
    labels = labels_of(truth.label_space, results.categories)
    negative = (results.boxes[:, 2] < 0) | (results.boxes[:, 3] < 0)
    for at in np.flatnonzero(~exists | (labels < 0) | negative)[:1].tolist():
        if exists[at] and labels[at] >= 0:
            box = results.boxes[at].tolist()
            raise wrong(name, f"Record [{at}] has a negative width or height: {box}.")
        if exists[at]:
            case = (
                f"Record [{at}] is of category {results.categories[at]}, which {truth.name} does "
                f"not have."
            )
            raise wrong(name, case, numbering(truth.label_space, results.categories))
        case = (
            f"Record [{at}] is of image {results.images[at].item()!r:.80}, which {truth.name} does "
            f"not have."
        )
        few = (
            f"{exists.sum():,} of {pluralize(len(exists), 'record')} {is_are(int(exists.sum()))} "
            "of its images."
        )
        raise wrong(
            name,
            f"{case} {few}",
            "Name the data set that they were made on, with --data, or correct the file.",
        )
    return rows, labels


def _check_list(text: memoryview, path: Path) -> None:
    """Raises: DataError for a JSON object, which belongs elsewhere."""
    if bytes(text[:64]).lstrip()[:1] == b"{":
        raise DataError(
            f"The results list '{path}' can't be read.",
            "It holds an object, and a results list is a list of detections.",
            "A report of zoo evaluate goes to zoo compare, an entry to zoo leaderboard check, "
            "annotations to --data; "
            "a detection a line belongs in a .jsonl file.",
        )
