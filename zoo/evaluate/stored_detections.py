"""Which arguments name stored detections: predictions in Parquet, or a COCO results list."""

from __future__ import annotations

import os
from pathlib import Path

from zoo.evaluate.coco_files import SUFFIXES
from zoo.evaluate.predictions.parquet import PARQUET_SUFFIX
from zoo.evaluate.predictions.predictions import Predictions


def results_path(detections: object) -> Path | None:
    """The COCO results list that is named; None for anything else."""
    return _path(detections, SUFFIXES)


def stored_predictions(detections: object) -> Predictions | None:
    """The predictions that are passed, or are in the Parquet file that is named; else None.

    Raises: DataError for a file that can't be read.
    """
    if isinstance(detections, Predictions):
        return detections
    path = _path(detections, (PARQUET_SUFFIX,))
    return None if path is None else Predictions.read(path)


def is_stored(detections: object) -> bool:
    """Whether these are detections, so that no model is run."""
    return isinstance(detections, Predictions) or bool(
        _path(detections, (*SUFFIXES, PARQUET_SUFFIX))
    )


def _path(detections: object, suffixes: tuple[str, ...]) -> Path | None:
    if isinstance(detections, str | os.PathLike) and os.fspath(detections).endswith(suffixes):
        return Path(detections)
    return None
