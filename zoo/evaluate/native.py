"""The compiled kernel (`kernel/*.c`) behind the same functions as the numpy modules, with the same bits."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.compiled import FILE, library
from zoo.data.compiled import address as _address
from zoo.data.compiled import structure as _structure
from zoo.data.ragged import rows_of, starts_of
from zoo.evaluate.accumulate import Curves
from zoo.evaluate.flat import Flat
from zoo.evaluate.outcomes import Outcomes
from zoo.evaluate.plan import Plan
from zoo.evaluate.resampling import Ranking, Replicates

_WORTH_A_THREAD = 4096  # detections; starting a thread for fewer takes longer than matching them

_Match = _structure(
    "_Match",
    "pictures *starts *images *detections *scores *labels *box_starts *box_labels *box_xywh *crowd *uncounted *ignore"
    " narrow corners classes ranges thresholds watched limit analyses *lows *highs *ious"
    " *kept *rows *ranks *outside *correct *ignored *hit *found *boxes *box_ious",
)
_Sort = _structure("_Sort", "count classes narrow *scores *labels *edges *order")
_Accumulate = _structure(
    "_Accumulate",
    "count hit_count narrow *scores *labels *ranks *outside *correct *ignored *hits *order *edges"
    " classes ranges thresholds points limits curves *limit_of *curve_of *positives *recalls *precision *reached_at *recall",
)
_Resample = _structure(
    "_Resample",
    "replicates pictures *weights *edges *picture *outside *ranks *hit *correct *ignored *box_edges *box_picture *box_ignore"
    " classes ranges thresholds points limits limit *limit_of *recalls *ap *recall *limited *positives",
)


class Kernel:
    """The kernel, loaded. Raises: OSError where it was not built here, or is of another version."""

    name = "kernel"

    def __init__(self, file: Path = FILE) -> None:
        self._library = library(file)

    def _call(self, function: str, kind: type[ctypes.Structure], threads: int, **values: int | NDArray[np.generic]) -> None:
        """Fills in a structure and calls; arrays are passed by address, and `values` keeps them alive."""
        filled = {key: value if isinstance(value, int) else _address(value) for key, value in values.items()}
        if self._library[function](ctypes.byref(kind(**filled)), ctypes.c_int(max(1, threads))):
            raise MemoryError(f"the kernel's {function} found no memory")

    def match(self, flat: Flat, images: NDArray[np.int64], plan: Plan, *, analyses: bool = True, threads: int = 1) -> Outcomes:
        """See `matching.match`."""
        count, ranges, truth = len(flat.scores), len(plan.ranges), plan.truth
        images = np.ascontiguousarray(images, np.int64)
        kept, rows = np.zeros(len(images), np.int64), np.empty(count, np.int64)
        ranks, outside = np.empty((2, count), np.uint16)
        correct, ignored = np.empty((2, count, ranges), np.uint16)
        hit = np.empty(count, bool)
        found = np.empty(count if analyses else 0, bool)
        boxes, ious = np.empty((len(found), 2), np.int32), np.empty((len(found), 2), np.float32)
        self._call(
            "match", _Match, min(threads, 1 + count // _WORTH_A_THREAD),
            pictures=len(images), starts=flat.starts, images=images,
            detections=flat.boxes, narrow=_narrow(flat.boxes), corners=int(flat.box_format == "xyxy"),
            scores=flat.scores.astype(np.float64), labels=flat.labels,
            box_starts=truth.starts, box_labels=truth.labels, box_xywh=truth.xywh, crowd=truth.crowd,
            uncounted=plan.void, ignore=plan.ignore,
            classes=len(truth.space), ranges=ranges, thresholds=len(plan.thresholds), watched=plan.watched,
            limit=plan.settings.detections[-1], analyses=int(analyses),
            lows=plan.lows, highs=plan.highs, ious=plan.thresholds,
            kept=kept, rows=rows, ranks=ranks, outside=outside, correct=correct, ignored=ignored, hit=hit,
            found=found, boxes=boxes, box_ious=ious,
        )  # fmt: skip
        some = slice(None) if kept.sum() == count else rows_of(flat.starts[:-1], kept)
        rows, hits = rows[some], np.flatnonzero(hit[some])
        return Outcomes(
            images=images.astype(np.int32),
            starts=starts_of(kept),
            scores=flat.scores[rows],
            labels=flat.labels[rows].astype(np.uint16),
            ranks=ranks[some],
            outside=outside[some],
            hits=hits,
            correct=correct[some][hits],
            ignored=ignored[some][hits],
            found=found[some] if analyses else found,
            boxes=boxes[some] if analyses else boxes,
            ious=ious[some] if analyses else ious,
        )

    def by_score(self, outcomes: Outcomes, classes: int, *, threads: int = 1) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
        """See `accumulate.by_score`."""
        order, edges = np.empty(len(outcomes), np.uint32), np.empty(classes + 1, np.int64)
        self._call(
            "sort_by_class_and_score", _Sort, threads,
            count=len(order), classes=classes, narrow=_narrow(outcomes.scores), scores=outcomes.scores, labels=outcomes.labels,
            edges=edges, order=order,
        )  # fmt: skip
        return order, edges

    def accumulate(
        self, outcomes: Outcomes, plan: Plan, positives: NDArray[np.int64], *, limits: Sequence[int], threads: int = 1
    ) -> Curves:
        """See `accumulate.accumulate`."""
        curves = Curves.blank(limits, positives, plan)
        order, edges = self.by_score(outcomes, positives.shape[1], threads=threads)
        self._call(
            "accumulate", _Accumulate, threads,
            count=len(outcomes), hit_count=len(outcomes.hits), narrow=_narrow(outcomes.scores), scores=outcomes.scores,
            labels=outcomes.labels, ranks=outcomes.ranks, outside=outcomes.outside,
            correct=outcomes.correct, ignored=outcomes.ignored, hits=outcomes.hits, order=order, edges=edges,
            classes=positives.shape[1], ranges=positives.shape[0], thresholds=len(plan.settings.ious),
            points=plan.settings.recalls, limits=len(plan.settings.detections), curves=len(limits),
            limit_of=np.array(plan.settings.detections, np.int64), curve_of=np.array(limits, np.int64),
            positives=np.ascontiguousarray(positives, np.int64), recalls=plan.settings.recall_points(),
            precision=curves.precision, reached_at=curves.scores, recall=curves.recall,
        )  # fmt: skip
        return curves

    def resample(self, ranking: Ranking, plan: Plan, weights: NDArray[np.uint32], *, limit: int, threads: int = 1) -> Replicates:
        """See `resampling.resample`."""
        made = Replicates.blank(len(weights), plan)
        self._call(
            "resample", _Resample, threads,
            replicates=len(weights), pictures=weights.shape[1], weights=np.ascontiguousarray(weights, np.uint32),
            edges=ranking.edges, picture=ranking.pictures, outside=ranking.outside, ranks=ranking.ranks, hit=ranking.hit,
            correct=ranking.correct, ignored=ranking.ignored,
            box_edges=ranking.box_edges, box_picture=ranking.box_pictures, box_ignore=ranking.box_ignore,
            classes=len(plan.truth.space), ranges=len(plan.ranges), thresholds=len(plan.settings.ious),
            points=plan.settings.recalls, limits=len(plan.settings.detections), limit=limit,
            limit_of=np.array(plan.settings.detections, np.int64), recalls=plan.settings.recall_points(),
            ap=made.ap, recall=made.recall, limited=made.limited, positives=made.positives,
        )  # fmt: skip
        return made


def _narrow(values: NDArray[Any]) -> int:
    return int(values.dtype == np.float32)
