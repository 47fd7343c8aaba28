"""Average precision as Pascal VOC defines it (Everingham et al., IJCV 2010; devkit `VOCevaldet.m`),
by eleven points or by all.

It differs from COCO's: a detection only ever looks at the box it overlaps most, found or not; the
last pixel of a box is part of it, which makes boxes one pixel wider; and difficult boxes neither
count nor harm.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from zoo.data.box_tables import BoxFormat
from zoo.data.ground_truth import GroundTruth
from zoo.data.image_ids import rows_of_ids
from zoo.data.offsets import rows_of
from zoo.errors import DataError, UsageError
from zoo.evaluate.arguments import check_image_ids
from zoo.evaluate.coco.flatten import FlatDetections, flatten
from zoo.evaluate.coco.iou import paired_iou
from zoo.evaluate.coco.matching import blocks
from zoo.suggest import check_choice
from zoo.text import pluralize

Points = Literal["eleven", "every"]


@dataclass(frozen=True)
class VocReport:
    """AP at one IoU: the mean over classes that have boxes, and each class; None where there is
    nothing to find."""

    mean: float | None
    per_class: dict[str, float | None]


def measure(
    truth: GroundTruth,
    image_ids: Iterable[Any],
    detections: Sequence[object] | Mapping[str, Any],
    *,
    iou: float = 0.5,
    points: Points = "every",
    pixels: bool = True,
    box_format: BoxFormat = "xyxy",
) -> VocReport:
    """VOC's AP of all detections at once, given as for `Evaluator.update`.

    points: `eleven` as in VOC 2007, `every` since 2010. pixels: a box includes its last pixel.
    Boxes may have an attribute `difficult`.
    Equal scores rank by image id, and within an image as they were given: the order of images moves
    no number.
    Raises: DataError naming an image that is wrong, missing or there twice; UsageError for points
        or a format of boxes that there are not.
    """
    check_choice("points", points, get_args(Points))
    _check_iou(iou)
    check_image_ids(image_ids)
    ids = list(image_ids)
    rows = rows_of_ids(truth.image_ids, np.asarray(ids), truth.name)
    _check_each_once(truth, rows)
    flat = flatten(detections, image_ids=ids, label_space=truth.label_space, box_format=box_format)
    images = np.repeat(rows, np.diff(flat.starts))
    nearest, ious = _nearest(flat, images, truth, 1.0 if pixels else 0.0)
    difficult = np.asarray(truth.box_attributes.get("difficult", np.zeros(len(truth.labels))), bool)
    order = np.lexsort(
        (images, -flat.scores)
    )  # equal scores by image id, whatever order the images came in
    reaches = (ious >= iou)[order]
    boxes = nearest[order]
    true = _true_positives(boxes, reaches)
    spared = reaches & difficult[boxes] if len(difficult) else reaches
    positives = np.bincount(truth.labels[~difficult], minlength=len(truth.label_space))
    labels = flat.labels[order]
    values: dict[str, float | None] = {}
    for label, name in enumerate(truth.label_space.names):
        mine = (labels == label) & ~spared
        values[name] = (
            area(true[mine], int(positives[label]), points=points) if positives[label] else None
        )
    defined = [value for value in values.values() if value is not None]
    return VocReport(sum(defined) / len(defined) if defined else None, values)


def _check_iou(iou: object) -> None:
    """Raises: UsageError unless the threshold is above 0 and at most 1."""
    if isinstance(iou, bool) or not isinstance(iou, int | float) or not 0 < iou <= 1:
        raise UsageError(
            f"VOC's AP at iou={iou!r} can't be used.",
            "An overlap is above 0 and at most 1.",
            "Write iou=0.5.",
        )


def _true_positives(boxes: NDArray[np.int64], reaches: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(n,) whether a detection is the best one of its box; detections come best first."""
    true = np.zeros(len(boxes), bool)
    able = np.flatnonzero(reaches & (boxes >= 0))
    true[able[np.unique(boxes[able], return_index=True)[1]]] = True
    return true


def _check_each_once(truth: GroundTruth, rows: NDArray[np.int64]) -> None:
    """Raises: DataError naming an image that is missing or there twice, as `Evaluator` does."""
    times = np.bincount(rows, minlength=len(truth))
    if len(again := np.flatnonzero(times > 1)):
        raise DataError(
            f"Detections of image {truth.image_ids[again[0]].item()!r} were handed over.",
            f"That image is there {times[again[0]]} times; counting it more than once would "
            f"change every number.",
            "Hand every image over once.",
        )
    if len(missing := np.flatnonzero(times == 0)):
        raise DataError(
            f"{truth.name} has no numbers yet.",
            f"{len(missing):,} of its {pluralize(len(truth), 'image')} "
            f"{'was' if len(missing) == 1 else 'were'} "
            "never handed over, "
            f"among them {truth.image_ids[missing[0]].item()!r}.",
            "Hand over the rest, also images where nothing was found.",
        )


def area(true: NDArray[np.bool_], positives: int, *, points: Points) -> float:
    """The area under the precision-recall curve of detections that are best first."""
    matched = np.cumsum(true)
    recall, precision = matched / positives, matched / np.arange(1, len(true) + 1)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    if points == "eleven":
        at = np.searchsorted(recall, np.linspace(0, 1, 11))
        return float(best[at[at < len(best)]].sum() / 11)
    return float((np.diff(recall, prepend=0.0) * best).sum())


def _nearest(
    flat: FlatDetections, images: NDArray[np.int64], truth: GroundTruth, pixel: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """(n,) the box of its class and image that each detection overlaps most, -1 for none, and the
    IoU; of equals the first."""
    keys = truth.images.astype(np.int64) * len(truth.label_space) + truth.labels
    mine = images * len(truth.label_space) + flat.labels
    first = np.searchsorted(keys, mine)
    counts = np.searchsorted(keys, mine, side="right") - first
    wider = np.array([0.0, 0.0, pixel, pixel])
    nearest, ious = np.full(len(mine), -1), np.zeros(len(mine))
    for block in blocks(counts):
        detections = np.repeat(np.arange(block.start, block.stop), counts[block])
        boxes = rows_of(first[block], counts[block])
        overlaps = paired_iou(
            flat.xywh(detections) + wider, truth.xywh[boxes] + wider, np.zeros(len(boxes), bool)
        )
        best_first = np.lexsort((boxes, -overlaps, detections))
        who, where = np.unique(detections[best_first], return_index=True)
        nearest[who], ious[who] = boxes[best_first[where]], overlaps[best_first[where]]
    return nearest, ious
