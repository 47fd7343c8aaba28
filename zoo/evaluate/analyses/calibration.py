"""Whether scores mean what they say: detection calibration errors, from outcomes at IoU .5.

D-ECE (Kueppers et al., CVPR Workshops 2020): over bins of the score, how far precision is from the
mean score, weighted by size. LaECE (Oksuz et al., CVPR 2023): the same per class with precision
times the mean IoU of found boxes, averaged over the classes that have detections. Both over all
detections that count; with 25 bins as in the latter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoo.evaluate.analyses.matches import Matches
from zoo.text import pluralize

BINS = 25


@dataclass(frozen=True)
class Bin:
    """Detections whose score lies in one part of 0 to 1."""

    low: float
    high: float
    count: int
    score: float | None
    precision: float | None


@dataclass(frozen=True, repr=False)
class Calibration:
    """Both errors, in [0, 1], lower is better, and the reliability diagram that D-ECE is read
    off."""

    d_ece: float
    la_ece: float
    bins: tuple[Bin, ...]

    def __repr__(self) -> str:
        errors = f"d_ece={self.d_ece:.3g}, la_ece={self.la_ece:.3g}"
        return f"Calibration({errors}, {pluralize(len(self.bins), 'bin')}; all in .bins)"


def calibration(matches: Matches) -> Calibration | None:
    """None without detections, or where scores lie outside of 0 to 1."""
    counted = matches.counted
    scores, true = matches.scores[counted], matches.true[counted]
    if not len(scores) or scores.min() < 0 or scores.max() > 1:
        return None
    where = _bin_of(scores)
    count = np.bincount(where, minlength=BINS)
    mean_score, precision = (_means(where, values) for values in (scores, true.astype(np.float64)))
    d_ece = float((count / len(scores) * np.abs(mean_score - precision)).sum())
    of_classes = [_la_ece(*matches.of_class(label)) for label in range(len(matches.positives))]
    la_ece = [value for value in of_classes if value is not None]
    edges = np.linspace(0, 1, BINS + 1).tolist()
    bins = tuple(
        Bin(
            edges[row],
            edges[row + 1],
            int(count[row]),
            *((float(mean_score[row]), float(precision[row])) if count[row] else (None, None)),
        )
        for row in range(BINS)
    )
    return Calibration(d_ece, sum(la_ece) / len(la_ece), bins)


def _la_ece(
    scores: NDArray[np.float64], true: NDArray[np.bool_], ious: NDArray[np.float32]
) -> float | None:
    """LaECE of one class. Precision times the mean IoU of what was found is the mean of IoU over
    all, 0 for what is false."""
    if not len(scores):
        return None
    where = _bin_of(scores)
    share = np.bincount(where, minlength=BINS) / len(scores)
    quality = _means(where, np.where(true, ious, 0.0))
    return float((share * np.abs(_means(where, scores) - quality)).sum())


def _bin_of(scores: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.minimum((scores * BINS).astype(np.int64), BINS - 1)


def _means(where: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean in each bin, 0 in empty ones."""
    count = np.bincount(where, minlength=BINS)
    return np.bincount(where, weights=values, minlength=BINS) / np.maximum(count, 1)
