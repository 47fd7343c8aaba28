"""Where to put the score threshold: the point of best F1, from the curve itself and not from its
interpolated envelope.

The envelope lends a threshold the precision of a higher recall, which overstates F1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoo.evaluate.analyses.matches import Matches, last_of_equals


@dataclass(frozen=True)
class OperatingPoint:
    """Precision, recall and F1 of detections of at least this score, at IoU .5."""

    score: float
    f1: float
    precision: float
    recall: float


def best_point(
    scores: NDArray[np.float64], true: NDArray[np.bool_], positives: int
) -> OperatingPoint | None:
    """The threshold of best F1 for detections that are best first; the highest of equals. None
    where nothing can be found."""
    ends = last_of_equals(scores)
    if not positives or not len(ends):
        return None
    matched = np.cumsum(true)[ends]
    f1 = 2 * matched / (ends + 1 + positives)
    best = int(f1.argmax())
    count = int(matched[best])
    return OperatingPoint(
        float(scores[ends[best]]), float(f1[best]), count / int(ends[best] + 1), count / positives
    )


def operating_points(
    matches: Matches,
) -> tuple[OperatingPoint | None, list[OperatingPoint | None]]:
    """The best one threshold for all classes, and the best of each class."""
    order = np.argsort(-matches.scores[matches.counted], kind="stable")
    scores, true = matches.scores[matches.counted][order], matches.true[matches.counted][order]
    classes = [
        best_point(*matches.of_class(label)[:2], int(count))
        for label, count in enumerate(matches.positives)
    ]
    return best_point(scores, true, int(matches.positives.sum())), classes
