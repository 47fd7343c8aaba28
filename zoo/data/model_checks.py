"""Labels that a model disagrees with: boxes that nobody annotated, that it never finds, of another
class or at another place."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.box_checks import split_names
from zoo.data.dataset import Dataset
from zoo.data.finding import Finding, spelled_box
from zoo.data.image_records import files_of
from zoo.errors import DataError, ImageError, LabelError
from zoo.labels import match_labels
from zoo.progress import Bar

if TYPE_CHECKING:
    from zoo.detections import Detections
    from zoo.detectors import Detector

SURE = 0.6  # the score from which on a detection speaks against the annotations
FAINT = 0.05  # the score from which on a box counts as found
SAME, NEAR = 0.5, 0.1  # IoU of one object's boxes, and of boxes that may be of one object


def model_findings(
    dataset: Dataset, model: str | Detector, *, show: bool | None = None
) -> list[Finding]:
    """The findings of a model about a data set: those that it is most certain of first, and of
    boxes that it never finds, the largest.

    Crowds, and classes that only one of the two knows, are left out of account.
    Raises: as `zoo.load`; LabelError where the two have no class in common.
    """
    from zoo.detectors import load  # deferred: torch

    detector = load(model) if isinstance(model, str) else model
    met = match_labels(detector.label_space, dataset.label_space)
    if not met.pairs:
        raise LabelError(
            f"{dataset.name} can't be checked with {detector.name}.",
            f"They have no class in common: the data has {dataset.label_space.title}, the model "
            f"{detector.label_space.title}.",
            "Name a model that was trained for these classes.",
        )
    lookup = np.full(len(detector.label_space), -1)
    for ours, theirs in met.pairs:
        lookup[ours] = theirs
    names, splits = files_of(dataset.images), split_names(dataset)
    ranked: list[tuple[float, Finding]] = []
    with Bar(f"Detecting with {detector.name}", total=len(dataset), show=show) as bar:
        for row, detections in _detections(dataset, detector):
            ranked += _of_image(dataset, row, detections, lookup, names[row], splits[row])
            bar.advance()
    return [finding for _, finding in sorted(ranked, key=lambda pair: -pair[0])]


def _detections(dataset: Dataset, detector: Detector) -> Iterator[tuple[int, Detections]]:
    """Detections of each image that can be read, by its row: in batches, read ahead."""
    from zoo.contract.protocol import Protocol  # deferred: torch
    from zoo.inference.detect import stream

    read: deque[int] = deque()

    def sources() -> Iterator[Any]:
        for row, record in enumerate(dataset.images):
            try:
                source = record.source()
            except (DataError, ImageError):
                # Other checks find it, and those that `stream` skips.
                continue
            read.append(row)
            yield source

    def skip(_: ImageError) -> None:
        read.popleft()

    many = stream(detector, sources(), protocol=Protocol(score=FAINT), on_failure=skip)
    for detections in many:
        yield read.popleft(), detections


def _of_image(
    dataset: Dataset,
    row: int,
    detections: Detections,
    lookup: NDArray[np.int64],
    name: str,
    split: str | None,
) -> list[tuple[float, Finding]]:
    """The findings of one image, and how certain they are."""
    truth, space = dataset.truth, dataset.label_space.names
    labels = lookup[detections.labels.numpy()]
    boxes, scores = detections.boxes.numpy()[labels >= 0], detections.scores.numpy()[labels >= 0]
    labels = labels[labels >= 0]
    rows = truth.rows(row)
    real, classes, crowd = truth.boxes[rows], truth.labels[rows], truth.crowd[rows]
    iou, covered = overlaps(real, boxes)
    checked = ~crowd & np.isin(classes, lookup)
    ranked = []

    def add(check: str, score: float | None, message: str, box: Any, label: int) -> None:
        edges = tuple(float(f"{value:.6g}") for value in box)
        rounded = None if score is None else round(score, 3)
        finding = Finding(check, message, name, split, edges, space[label], rounded)
        size = (edges[2] - edges[0]) * (edges[3] - edges[1])
        ranked.append((size if score is None else score, finding))

    own = (iou >= SAME) & (classes[:, None] == labels)
    free: NDArray[np.bool_] = np.asarray(~own.any(axis=0))  # of no annotated box of their class
    for at in np.flatnonzero(checked).tolist():
        check = verdict(iou[at], labels == classes[at], scores, free)
        if check is not None:
            kind, other, score = check
            message = "The model finds nothing there."
            if other is not None:
                detection = f"{space[labels[other]]} {spelled_box(boxes[other].round(1).tolist())}"
                message = f"The model finds {detection}, score {scores[other]:.2f}."
            add(kind, score, message, real[at], int(classes[at]))
    near = (iou >= NEAR).any(axis=0) | (covered[crowd] >= SAME).any(axis=0)
    for at in np.flatnonzero((scores >= SURE) & ~near).tolist():
        score = float(scores[at])
        message = f"The model finds it, score {score:.2f}."
        add("not_annotated", score, message, boxes[at], int(labels[at]))
    return ranked


def verdict(
    iou: NDArray[np.float64],
    same: NDArray[np.bool_],
    scores: NDArray[np.float32],
    free: NDArray[np.bool_],
) -> tuple[str, int | None, float | None] | None:
    """The case of one annotated box: a check, the detection that speaks against it, and its score;
    None if it is found. same: detections of its class. free: those of no annotated box of their
    own class."""
    if ((iou >= SAME) & same).any():
        return None
    for check, mask in (
        ("found_as_other_class", (iou >= SAME) & ~same & free),
        ("found_elsewhere", (iou >= NEAR) & same & free),
    ):
        sure = mask & (scores >= SURE)
        if sure.any():
            best = int(np.where(sure, scores, -1).argmax())
            return check, best, float(scores[best])
    if (iou >= NEAR).any():
        return None  # something is found there, and not for certain
    return "never_found", None, None


def overlaps(
    boxes: NDArray[np.float64], other: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(n, m) IoU of boxes, and the share of each of the others that lies in them."""
    low = np.maximum(boxes[:, None, :2], other[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], other[None, :, 2:])
    common = np.clip(high - low, 0, None).prod(axis=2)
    areas, others = (
        np.clip(box[:, 2:] - box[:, :2], 0, None).prod(axis=1) for box in (boxes, other)
    )
    union = areas[:, None] + others - common
    return (
        np.divide(common, union, out=np.zeros_like(common), where=union > 0),
        np.divide(common, others[None], out=np.zeros_like(common), where=others[None] > 0),
    )
