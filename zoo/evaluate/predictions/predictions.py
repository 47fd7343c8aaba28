"""Predictions: what one model saw in the images of one data set, as flat arrays, with their
provenance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.errors import DataError
from zoo.evaluate.coco.flatten import FlatDetections
from zoo.labels import LabelSpace
from zoo.text import pluralize

PREDICT_AGAIN = "Make it again: zoo predict MODEL --data DATA --fresh"


@dataclass(frozen=True)
class ImageDetections:
    """Detections of one image, best first: boxes (n, 4) xyxy, scores (n,), labels (n,) into
    `label_space`."""

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    labels: NDArray[np.int32]
    label_space: LabelSpace


@dataclass(frozen=True, eq=False)
class Predictions:
    """Detections of one model in many images, one image after another.

    image_ids:  (m,) int64 or str, as the data set has them.
    files:      (m,) the images' file names.
    sizes:      (m, 2) int32, height and width of the images in pixels, as they were looked at.
    starts:     (m + 1,) int64, the first detection of each image, and the end.
    boxes:      (n, 4) float32 xyxy, pixels of the image.
    scores:     (n,) float32.
    labels:     (n,) int32, positions in `names`.
    names:      class names.
    provenance: see `zoo.evaluate.predictions.provenance`.
    path:       the file they are in, if any.
    """

    image_ids: NDArray[Any]
    files: NDArray[Any]
    sizes: NDArray[np.int32]
    starts: NDArray[np.int64]
    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    labels: NDArray[np.int32]
    names: tuple[str, ...]
    provenance: dict[str, str]
    path: Path | None = None

    def __post_init__(self) -> None:
        """Raises: DataError naming file and record where a number can't be."""
        if not self._are_plain():
            raise self._first_wrong()
        if (
            not self.names
            or len(set(self.names)) < len(self.names)
            or not all(name.strip() for name in self.names)
        ):
            raise self.flaw("Its class names are not one each.")
        again = np.sort(self.image_ids)
        if (again[1:] == again[:-1]).any():
            raise self.flaw(
                f"Image {again[1:][again[1:] == again[:-1]][0].item()!r} is there twice."
            )

    def _are_plain(self) -> bool:
        """Whether every number can be, by columns: rows of four take several times as long."""
        if not len(self.scores):
            return True
        x, y, right, lower = self.boxes.T
        coordinates = np.isfinite(self.boxes.min()) and np.isfinite(
            self.boxes.max()
        )  # NaN is passed on by both
        boxes = coordinates and not (right < x).any() and not (lower < y).any()
        scores = self.scores.min() >= 0 and self.scores.max() <= 1
        return bool(
            boxes and scores and self.labels.min() >= 0 and self.labels.max() < len(self.names)
        )

    def _first_wrong(self) -> DataError:
        """The error that names the first number that can't be."""
        wrong = {
            "a score outside of 0 to 1": ~((self.scores >= 0) & (self.scores <= 1)),
            "a coordinate that is not finite": ~np.isfinite(self.boxes).all(1),
            "a box whose right or lower edge comes first": (
                self.boxes[:, 2:] < self.boxes[:, :2]
            ).any(1),
            "a label that no class has": (self.labels < 0) | (self.labels >= len(self.names)),
        }
        problem = next(problem for problem, rows in wrong.items() if rows.any())
        row = int(np.flatnonzero(wrong[problem])[0])
        image = int(np.searchsorted(self.starts, row, side="right")) - 1
        return self.flaw(
            f"Image {self.image_ids[image].item()!r}, detection {row - int(self.starts[image])}, "
            f"has {problem}: "
            f"box {self.boxes[row].tolist()}, score {self.scores[row]}, label {self.labels[row]}."
        )

    def __len__(self) -> int:
        return len(self.image_ids)

    def __repr__(self) -> str:
        sizes = f"{pluralize(len(self), 'image')}, {pluralize(len(self.scores), 'detection')}"
        return f"Predictions({self.provenance.get('model', 'a model')}: {sizes})"

    def __iter__(self) -> Iterator[ImageDetections]:
        for start, stop in zip(self.starts[:-1].tolist(), self.starts[1:].tolist(), strict=True):
            yield ImageDetections(
                self.boxes[start:stop],
                self.scores[start:stop],
                self.labels[start:stop],
                self.label_space,
            )

    @cached_property
    def label_space(self) -> LabelSpace:
        """The label space of the model."""
        return LabelSpace(self.provenance.get("model", "custom"), self.names)

    def flat(self) -> FlatDetections:
        """The detections as an evaluator takes them, in the model's label space."""
        return FlatDetections(
            self.starts,
            self.boxes,
            self.scores,
            self.labels.astype(np.int64),
            unmet={},
            box_format="xyxy",
            label_space=self.label_space,
        )

    def flaw(self, case: str) -> DataError:
        """The error for predictions that can't be."""
        return DataError(f"{self.path or 'Predictions'} was read.", case, PREDICT_AGAIN)

    @classmethod
    def read(cls, path: str | Path) -> Predictions:
        """The predictions in a Parquet file that `predict` wrote.

        Raises: DataError naming the file, and the record where one is wrong; MissingExtra without
            pyarrow.
        """
        from zoo.evaluate.predictions import parquet  # deferred: it is built on this module

        return parquet.read(Path(path))

    def write(self, path: str | Path) -> None:
        """Stores them as Parquet, in one step: there is the whole file or none. Raises: DataError,
        MissingExtra."""
        from zoo.evaluate.predictions import parquet  # deferred: it is built on this module

        parquet.write(self, Path(path))


def joined(
    parts: Sequence[Predictions], provenance: dict[str, str], *, order: Sequence[int | str]
) -> Predictions:
    """Several parts as one, its images in the order of these ids. Raises: DataError where a
    image is in two parts."""
    ids = np.concatenate([part.image_ids for part in parts])
    counts = np.concatenate([np.diff(part.starts) for part in parts])
    place = {image_id: row for row, image_id in enumerate(ids.tolist())}
    rows = np.array([place[image_id] for image_id in order], np.int64)
    starts = np.concatenate([[0], np.cumsum(counts[rows])]).astype(np.int64)
    to = np.full(len(ids), -1)  # the first row of each image's detections; -1 for one left out
    to[rows] = starts[:-1]
    boxes = np.empty((int(starts[-1]), 4), np.float32)
    scores, labels = np.empty(len(boxes), np.float32), np.empty(len(boxes), np.int32)
    first = 0
    for part in parts:  # one after another: all at once take several times the memory
        mine = to[first : first + len(part)]
        first += len(part)
        lengths = np.diff(part.starts)
        keep = np.repeat(mine >= 0, lengths)
        rows_to = np.repeat(mine - part.starts[:-1], lengths) + np.arange(len(part.scores))
        for column, values in ((boxes, part.boxes), (scores, part.scores), (labels, part.labels)):
            column[rows_to[keep]] = values[keep]
    return Predictions(
        image_ids=ids[rows],
        files=np.concatenate([part.files for part in parts])[rows],
        sizes=np.concatenate([part.sizes for part in parts])[rows],
        starts=starts,
        boxes=boxes,
        scores=scores,
        labels=labels,
        names=parts[0].names,
        provenance=provenance,
    )
