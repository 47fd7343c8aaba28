"""Notes on detections and annotations that look wrong but can be measured, with the likely cause.

They change no number: COCO's are defined for every list of boxes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data import Dataset
from zoo.data.ground_truth import GroundTruth
from zoo.evaluate.diagnostics.class_ids import SOME, other_classes, pairs
from zoo.text import pluralize

_MANY = 0.2  # the share of boxes beyond an edge from which on it is not chance
_FEW = 20  # boxes whose sizes alone say nothing
_CORNER = 2.0  # pixels; fractions of an image reach a little beyond 1
_TELLING = 4  # columns that tell nearly all boxes apart
_PIXEL = 1.0  # how far annotators round
_MAX_BEST = 1000  # detections that are compared with the annotations
_INPUTS = (300, 320, 416, 512, 640, 800, 1024, 1280)  # sides of the squares that networks see


@dataclass(frozen=True, eq=False)
class AllDetections:
    """All detections of a data set: rows (n,) of its images, scores (n,), boxes by side.

    sides:  (4, n) x, y, width, height in pixels; columns, since rows of four take several times as
        long.
    labels: (n,) in the label space of the data set; one that it does not have is negative.
    """

    rows: NDArray[np.int64]
    sides: NDArray[np.float64]
    scores: NDArray[np.floating[Any]]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)

    def best(self, most: int) -> AllDetections:
        """The `most` detections with the best scores, best first; of equal ones the first."""
        rows = np.arange(len(self))
        if len(self) > most:
            rows = np.flatnonzero(self.scores >= np.partition(self.scores, -most)[-most])
        best = rows[np.argsort(-self.scores[rows], kind="stable")[:most]]
        return AllDetections(
            self.rows[best], self.sides[:, best], self.scores[best], self.labels[best]
        )

    @property
    def xywh(self) -> NDArray[np.float64]:
        """(n, 4) their boxes."""
        return self.sides.T


def diagnose(dataset: Dataset, detections: AllDetections) -> tuple[str, ...]:
    """Sentences that a reader of the numbers should know."""
    comparisons = _compare_best(dataset, detections) if len(detections) else ()
    annotations = (
        *_misplaced_annotations(dataset),
        *_never_found(dataset),
        *_repeated_annotations(dataset),
        *_areas(dataset),
    )
    return (*_repeated_detections(detections), *comparisons, *_scores(detections), *annotations)


def _compare_best(dataset: Dataset, detections: AllDetections) -> Iterator[str]:
    """Notes on places and classes, by the best detections: as many as there are annotated boxes,
    since more of them have to be wrong."""
    best = detections.best(max(min(len(dataset.truth.labels), _MAX_BEST), 1))
    yield from _places(dataset, detections, best)
    yield from other_classes(dataset.truth, best.rows, best.xywh, best.labels)


def not_mentioned(dataset: Dataset, detections: AllDetections) -> Iterator[str]:
    """Images that a COCO results list does not name: it can't say that nothing was found in
    one."""
    count = len(dataset) - np.count_nonzero(np.bincount(detections.rows, minlength=len(dataset)))
    if count:
        yield (
            f"The results list does not mention {count:,} of "
            f"{pluralize(len(dataset), 'image')}: nothing was found there, "
            "as far as it says. An image that was never looked at would look the same."
        )


def _places(dataset: Dataset, detections: AllDetections, best: AllDetections) -> Iterator[str]:
    """Boxes that are not where images are, with the likeliest cause, and boxes of nothing."""
    x, y, w, h = detections.sides  # (n,) each
    width, height = (column[detections.rows] for column in np.ascontiguousarray(dataset.sizes.T))
    sides = dataset.truth.xywh[:, 2:]
    if detections.sides.max() <= _CORNER and len(sides) and np.median(sides) > 2 * _CORNER:
        yield (
            "All boxes lie in the first two pixels, and annotated ones do not: are they fractions "
            "of the image, not pixels?"
        )
        return
    if empty := int(((w <= 0) | (h <= 0)).sum()):
        subject = _do(empty, len(detections), "detection", "has", "have")
        yield f"{subject} no area, and can match nothing."
    right, lower = x + w, y + h
    most_right, most_low = width + (1 + 0.02 * width), height + (1 + 0.02 * height)  # a little room
    beyond = (right > most_right) | (lower > most_low)

    def fit_as_corners() -> bool:
        corners = (w >= x) & (h >= y)
        unknown = np.isnan(width).all() and len(detections) >= _FEW and corners.all()
        fitting = corners & ~(w > most_right) & ~(h > most_low)
        return bool(unknown or (beyond.mean() > _MANY and fitting.mean() > 0.98))

    if (np.isnan(width[0]) or beyond.mean() > _MANY) and fit_as_corners():
        yield (
            "Taken as x, y, width, height, boxes reach beyond their images; as x1, y1, x2, y2 "
            "they would fit: "
            "were corners written where COCO has sizes?"
        )
        return
    if how := _likely_mistake(dataset, best):
        yield f"As they are, few boxes meet an annotated one; {how}"
        return
    away = int(((x >= width) | (y >= height) | (right <= 0) | (lower <= 0)).sum())
    if away:
        lie = _do(away, len(detections), "detection", "lies", "lie")
        yield (
            f"{lie} wholly outside of the image: are the image ids, and the size that boxes "
            f"refer to, those of the data set?"
        )
    elif beyond.mean() > _MANY:
        reach = _do(int(beyond.sum()), len(detections), "detection", "reaches", "reach")
        yield (
            f"{reach} beyond the edge of the image: were they scaled back from the size that "
            f"the network saw?"
        )


def _likely_mistake(dataset: Dataset, best: AllDetections) -> str | None:
    """How boxes were probably written: the way in which at least twice as many of the best
    detections meet an annotated box; None if there is none."""
    rows, boxes = best.rows, best.xywh
    matched = int(_meets(dataset.truth, rows, boxes).sum())
    if 2 * matched >= len(boxes):
        return None
    ways = _ways(boxes, dataset.sizes[rows])
    met = {how: int(_meets(dataset.truth, rows, moved).sum()) for how, moved in ways.items()}
    how, then = max(met.items(), key=lambda item: item[1])
    return how if then >= SOME and then > max(2 * matched, _MANY * len(boxes)) else None


def _ways(boxes: NDArray[np.float64], sizes: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Boxes as they would be, if written by centres or at the size of a network's input."""
    centres = (
        "moved up and left by half their size many more would: were centres written where COCO has "
        "corners?"
    )
    ways = {centres: boxes - np.pad(boxes[:, 2:] / 2, ((0, 0), (0, 2)))}
    for side in _INPUTS if not np.isnan(sizes).any() else ():
        back = (
            f"scaled back from {side} pixels many more would: are they of the size that the "
            f"network saw?"
        )
        ways[back] = boxes * sizes.max(1, keepdims=True) / side
        ways[back.replace(" pixels", f"×{side} pixels")] = boxes * sizes[:, [0, 1, 0, 1]] / side
    return ways


def _meets(
    truth: GroundTruth, rows: NDArray[np.int64], xywh: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """(n,) whether a detection has an IoU of at least .5 with an annotated box of its image,
    whatever its class."""
    meets = np.zeros(len(rows), bool)
    meets[pairs(truth, rows, xywh)[0]] = True
    return meets


def _repeated_detections(detections: AllDetections) -> Iterator[str]:
    """Detections that another one equals in everything."""
    count = _count_repeated(
        [detections.scores, detections.rows, *detections.sides, detections.labels]
    )
    if count:
        repeat = _do(count, len(detections), "detection", "repeats", "repeat")
        yield (
            f"{repeat} another one in image, class, box and score, and can only be false: were "
            f"two lists joined, or one twice?"
        )


def _count_repeated(columns: Sequence[NDArray[Any]]) -> int:
    """How many rows equal one before them in every column. Only rows that share a hash of the first
    columns are compared."""
    hashes = np.zeros(len(columns[0]), np.uint64)
    for column in columns[:_TELLING]:
        bits = (column.astype(np.float64) + 0.0).view(np.uint64)  # -0.0 equals 0.0
        hashes = (hashes ^ bits) * np.uint64(0x9E3779B97F4A7C15)
        hashes ^= hashes >> np.uint64(29)
    order = np.sort(hashes)
    again = order[1:][order[1:] == order[:-1]]
    if not len(again):
        return 0
    some = again[np.minimum(np.searchsorted(again, hashes), len(again) - 1)] == hashes
    alike = np.column_stack([column[some] for column in columns])
    return len(alike) - len(np.unique(alike, axis=0))


def _scores(detections: AllDetections) -> Iterator[str]:
    outside = int(((detections.scores < 0) | (detections.scores > 1)).sum())
    if len(detections) >= _FEW and detections.scores.min() == detections.scores.max():
        yield (
            f"All {len(detections):,} scores are {detections.scores[0]:g}: AP ranks by them, and "
            "here it can't."
        )
    if outside:
        low, high = float(detections.scores.min()), float(detections.scores.max())
        kind = "percentages" if low >= 0 and high <= 100 else "logits"
        yield (
            f"{_do(outside, len(detections), 'score', 'lies', 'lie')} outside of 0 to 1, from "
            f"{low:g} to {high:g}: are they {kind}? "
            "AP needs only their order; calibration and thresholds take them as they are."
        )


def _misplaced_annotations(dataset: Dataset) -> Iterator[str]:
    truth = dataset.truth
    if len(truth.xywh) and truth.xywh.max() <= _CORNER < np.nan_to_num(dataset.sizes).max() / 4:
        yield (
            "All annotated boxes lie in the first two pixels: are they fractions of the image, "
            "not pixels?"
        )
        return
    ends = truth.xywh[:, :2] + truth.xywh[:, 2:]
    beyond = ((ends > dataset.sizes[truth.images] + _PIXEL) | (truth.xywh[:, :2] < -_PIXEL)).any(
        axis=1
    )
    count = int(beyond.sum())
    if count:
        first = min(np.flatnonzero(beyond).tolist(), key=lambda row: int(truth.ids[row]))
        image_id = truth.image_ids[truth.images[first]].item()
        reach = _do(
            count, len(truth.ids), "annotated box", "reaches", "reach", plural="annotated boxes"
        )
        yield (
            f"{reach} beyond the image by more than a pixel, the first of them annotation "
            f"{truth.ids[first]} "
            f"of image {image_id!r}: are the annotations of these images?"
        )


def _never_found(dataset: Dataset) -> Iterator[str]:
    """Boxes that count and that no detection inside of the image can match, and boxes marked to be
    left out that count."""
    truth = dataset.truth
    counting = ~truth.crowd.astype(bool)
    flat = (truth.xywh[:, 2:] <= 0).any(axis=1)
    ends = truth.xywh[:, :2] + truth.xywh[:, 2:]
    away = ~flat & ((truth.xywh[:, :2] >= dataset.sizes[truth.images]) | (ends <= 0)).any(axis=1)
    lost = int((counting & (flat | away)).sum())
    if lost:
        reasons = {
            "without area": int((counting & flat).sum()),
            "wholly outside of the image": int((counting & away).sum()),
        }
        case = " and ".join(f"{count:,} {reason}" for reason, count in reasons.items() if count)
        most = 100 * (1 - lost / int(counting.sum()))
        of = _do(lost, int(counting.sum()), "annotated box", "is", "are", plural="annotated boxes")
        yield (
            f"{of} {case}, and can't be found: over all boxes recall can't exceed {most:.1f} %, "
            f"and AP falls with it."
        )
    for name in ("ignore", "difficult"):
        marked = np.asarray(truth.box_attributes.get(name, np.zeros(len(counting))))
        count = int((counting & np.isin(marked, (1, True))).sum())
        if count:
            are = _do(count, len(counting), "annotated box", "is", "are", plural="annotated boxes")
            yield (
                f"{are} marked '{name}', which COCO does not know: it leaves out crowds alone, "
                f"and these count."
            )


def _repeated_annotations(dataset: Dataset) -> Iterator[str]:
    """Objects that are there again under another id: at most one of the two can be found."""
    truth = dataset.truth
    count = _count_repeated([truth.images, *truth.xywh.T, truth.labels, truth.crowd])
    if count:
        repeat = _do(
            count, len(truth.labels), "annotated box", "repeats", "repeat", plural="annotated boxes"
        )
        yield (
            f"{repeat} another one in image, class and box, and only one of them can be found: "
            f"were annotations joined twice?"
        )


def _areas(dataset: Dataset) -> Iterator[str]:
    """COCO's areas are of masks, never larger than their boxes and seldom nothing; sizes small,
    medium and large go by them."""
    truth = dataset.truth
    if truth.no_area:
        have = _do(
            truth.no_area, len(truth.ids), "annotated box", "has", "have", plural="annotated boxes"
        )
        yield (
            f"{have} no `area`, and that of the box stands in for it: APs, APm, APl, ARs, ARm and "
            f"ARl go by it, and by the area "
            "of masks the same objects may be smaller."
        )
    boxes = truth.xywh[:, 2] * truth.xywh[:, 3]
    odd = (boxes > _PIXEL) & ((truth.areas <= 0) | (truth.areas > 1.1 * boxes + _PIXEL))
    if len(boxes) and odd.mean() > _MANY:
        statement = _do(int(odd.sum()), len(boxes), "annotated area", "does", "do")
        yield (
            f"{statement} not fit the box: small, medium and large objects are told apart by "
            "`area`."
        )


def _do(count: int, total: int, noun: str, singular: str, many: str, *, plural: str = "") -> str:
    """`1 of 12 boxes lies`, `3 of 12 boxes lie`, `All 12 boxes lie`; the lone one of all is `1 of 1
    box lies`."""
    of = "All" if count == total > 1 else f"{count:,} of"
    return f"{of} {pluralize(total, noun, plural)} {singular if count == 1 else many}"
