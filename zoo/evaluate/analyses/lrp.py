"""Localisation recall precision: one error for wrong place, false and missed (Oksuz et al., ECCV
2018; TPAMI 2021).

LRP(s) = (sum over found boxes of (1 - IoU) / .5 + false + missed) / (found + false + missed) for
detections of score s or more; the optimal one is the least over s, 0 for a perfect detector and 1
for one that finds nothing. Lower is better.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoo.evaluate.analyses.matches import Matches, last_of_equals
from zoo.evaluate.coco.problem import ANALYSED_IOU


@dataclass(frozen=True)
class LRP:
    """The optimal LRP error and its parts at the threshold where it is optimal.

    location: mean 1 - IoU of found boxes. false: 1 - precision. missed: 1 - recall. score: the
        threshold, None where keeping no detection is best; then location and false are None too.
    """

    error: float
    location: float | None
    false: float | None
    missed: float
    score: float | None


def optimal(
    scores: NDArray[np.float64], true: NDArray[np.bool_], ious: NDArray[np.float32], positives: int
) -> LRP | None:
    """The optimal LRP of detections that are best first; None where there is nothing to find."""
    if not positives:
        return None
    ends = last_of_equals(scores)
    matched = np.cumsum(true)[ends]
    false = ends + 1 - matched
    gap = np.cumsum(np.where(true, 1 - ious.astype(np.float64), 0.0))[ends]
    error = (gap / (1 - ANALYSED_IOU) + false + positives - matched) / (false + positives)
    if not len(error) or error.min() >= 1:
        return LRP(1.0, None, None, 1.0, None)
    best = int(error.argmin())
    count = int(matched[best])
    return LRP(
        float(error[best]),
        float(gap[best]) / count,
        1 - count / int(ends[best] + 1),
        1 - count / positives,
        float(scores[ends[best]]),
    )


def optimal_by_class(matches: Matches) -> tuple[float | None, list[LRP | None]]:
    """The mean of the classes that have boxes (moLRP), and each class."""
    classes = [
        optimal(*matches.of_class(label), int(count))
        for label, count in enumerate(matches.positives)
    ]
    errors = [lrp.error for lrp in classes if lrp is not None]
    return (sum(errors) / len(errors) if errors else None), classes
