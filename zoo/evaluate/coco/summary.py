"""The headline numbers of the COCO protocol: which they are, and their values from curves or from
resamplings.

From curves they are averaged over the same values in the same order as in pycocotools, so that
every bit agrees.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoo.evaluate.coco.accumulation import Curves, mean
from zoo.evaluate.coco.problem import MatchingProblem
from zoo.evaluate.coco.resampling import Replicates
from zoo.evaluate.policy import EdgeCasePolicy


class Number(NamedTuple):
    """One headline number.

    of: the mean of precision or of recall, over classes. area: the range, by position.
    thresholds: which IoU thresholds it is averaged over; empty where it is not defined. limit:
        detections per image and class.
    """

    name: str
    of: Literal["precision", "recall"]
    area: int
    thresholds: tuple[int, ...]
    limit: int


def headline(plan: MatchingProblem, policy: EdgeCasePolicy) -> list[Number]:
    """AP, AP50, AP75, AP of each size; AR at each limit, AR of each size: pycocotools' `stats`.
    Slices come after the sizes."""
    ious, limits = plan.settings.ious, plan.settings.detections
    every = tuple(range(len(ious)))
    ap, rest = headline_limits(limits, policy)
    sizes = range(1, len(plan.ranges))
    return [
        Number("AP", "precision", 0, every if ap in limits else (), ap),
        Number("AP50", "precision", 0, threshold_at(ious, 0.5, policy), rest),
        Number("AP75", "precision", 0, threshold_at(ious, 0.75, policy), rest),
        *(
            Number(f"AP{plan.ranges[area].suffix}", "precision", area, every, rest)
            for area in sizes
        ),
        *(Number(f"AR{count}", "recall", 0, every, count) for count in limits),
        *(Number(f"AR{plan.ranges[area].suffix}", "recall", area, every, rest) for area in sizes),
    ]


def headline_limits(limits: Sequence[int], policy: EdgeCasePolicy) -> tuple[int, int]:
    """The limits of detections that AP and that the other numbers are read at; pycocotools takes
    100, and the third limit."""
    if policy.headline == "hundred":
        return 100, limits[2] if len(limits) > 2 else limits[-1]
    return limits[-1], limits[-1]


def threshold_at(ious: Sequence[float], iou: float, policy: EdgeCasePolicy) -> tuple[int, ...]:
    """Which threshold an IoU is; empty where it is not among them."""
    distances = np.abs(np.asarray(ious) - iou)
    nearest = int(distances.argmin())
    return (nearest,) if distances[nearest] <= (0 if policy.iou_lookup == "equal" else 1e-6) else ()


def summarise(curves: Curves, plan: MatchingProblem, policy: EdgeCasePolicy) -> dict[str, float]:
    """Headline numbers by name; -1 where one is not defined."""
    return {
        number.name: mean(_values(curves, number, plan)) if number.thresholds else -1.0
        for number in headline(plan, policy)
    }


def _values(curves: Curves, number: Number, plan: MatchingProblem) -> NDArray[np.float64]:
    if number.of == "recall":
        return curves.recall[
            plan.settings.detections.index(number.limit), number.area, list(number.thresholds)
        ]
    return curves.precision[curves.limits.index(number.limit), number.area, list(number.thresholds)]


def summarise_replicates(
    replicates: Replicates, plan: MatchingProblem, policy: EdgeCasePolicy, *, limit: int
) -> dict[str, NDArray[np.float64]]:
    """Headline numbers by name, (b,) each; NaN in a replicate where one is not defined.

    limit: what the replicates were made at; a number that is read at another one is left out.
    """
    samples = {}
    for number in headline(plan, policy):
        if number.limit != limit and (number.of == "precision" or number.area):
            continue
        samples[number.name] = _replicate(replicates, number, plan)
    return samples


def _replicate(
    replicates: Replicates, number: Number, plan: MatchingProblem
) -> NDArray[np.float64]:
    """(b,) one headline number."""
    if not number.thresholds:
        return np.full(len(replicates.precision), np.nan)
    if number.of == "recall" and number.area == 0:
        return replicates.limited[:, plan.settings.detections.index(number.limit)]
    if number.of == "recall":
        return replicates.recall[:, number.area]
    if len(number.thresholds) == 1 and number.area == 0:
        return replicates.alone[:, number.thresholds[0]]
    return replicates.precision[:, number.area]
