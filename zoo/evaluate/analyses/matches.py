"""The matching at IoU .5, detection by detection: what the analyses beyond AP are read off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.errors import DataError
from zoo.evaluate.coco.matched_images import MatchedImages


@dataclass(frozen=True, eq=False)
class Matches:
    """Detections by class, then best first, at IoU .5 and of all sizes.

    edges:     (k + 1,) where each class begins.
    scores, labels: (n,) float64, int64.
    true:      (n,) bool, finds a box that counts.
    counted:   (n,) bool; the rest lies on a crowd and is neither true nor false.
    boxes:     (n, 2) the box of its class that it finds or else overlaps most, and the box of
               another class that it overlaps most, as rows of the ground truth; -1 for none.
    ious:      (n, 2) float32, its overlap with them.
    positives: (k,) boxes that count.
    missed:    (g,) bool, boxes of the ground truth that count and that no detection finds.
    box_labels: (g,) the class of each box of the ground truth.
    """

    edges: NDArray[np.int64]
    scores: NDArray[np.float64]
    labels: NDArray[np.int64]
    true: NDArray[np.bool_]
    counted: NDArray[np.bool_]
    boxes: NDArray[np.int32]
    ious: NDArray[np.float32]
    positives: NDArray[np.int64]
    missed: NDArray[np.bool_]
    box_labels: NDArray[np.int32]

    @classmethod
    def of(cls, images: MatchedImages) -> Matches:
        """Raises: DataError if the evaluator was made without analyses."""
        outcomes, (order, edges) = images.outcomes, images.order
        if len(outcomes.found) < len(outcomes):
            raise DataError(
                "No analysis beyond AP can be made.",
                "The evaluator kept only what AP takes.",
                "Make it with analyses=True.",
            )
        aside = (images.plan.ignore & 1).astype(bool)  # boxes that do not count at all
        matched, boxes = outcomes.found[order], outcomes.boxes[order]
        on_aside = matched & aside[np.where(matched, boxes[:, 0], 0)] if len(aside) else matched
        true = matched & ~on_aside
        missed = images.counted[images.plan.truth.images] & ~aside
        missed[boxes[true, 0]] = False
        return cls(
            edges=edges,
            scores=outcomes.scores[order].astype(np.float64),
            labels=outcomes.labels[order].astype(np.int64),
            true=true,
            counted=~on_aside & (matched | ((outcomes.outside[order] & 1) == 0)),
            boxes=boxes,
            ious=outcomes.ious[order],
            positives=images.positives[0],
            missed=missed,
            box_labels=images.plan.truth.labels,
        )

    def of_class(self, label: int) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[Any]]:
        """Scores, truth and overlap of the counted detections of one class, best first."""
        rows = slice(self.edges[label], self.edges[label + 1])
        counted = self.counted[rows]
        return self.scores[rows][counted], self.true[rows][counted], self.ious[rows, 0][counted]


def last_of_equals(scores: NDArray[np.float64]) -> NDArray[np.int64]:
    """Where a threshold can lie in scores that are best first: after the last of each group of
    equal ones."""
    return (
        np.flatnonzero(np.append(scores[1:] != scores[:-1], True))
        if len(scores)
        else np.zeros(0, np.int64)
    )
