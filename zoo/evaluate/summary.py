"""The headline numbers of the COCO protocol, averaged over the same values in the same order as in pycocotools."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from zoo.evaluate.accumulate import Curves
from zoo.evaluate.plan import Plan
from zoo.evaluate.policy import Policy


def threshold_at(ious: Sequence[float], iou: float, policy: Policy) -> int | None:
    """Which threshold an IoU is, or None where it is not among them."""
    distances = np.abs(np.asarray(ious) - iou)
    nearest = int(distances.argmin())
    close = distances[nearest] == 0 if policy.iou_lookup == "equal" else distances[nearest] <= 1e-6
    return nearest if close else None


def headline_limit(limits: Sequence[int], policy: Policy) -> int | None:
    """The limit of detections that AP is read at, or None where there is none."""
    if policy.headline == "largest":
        return limits[-1]
    return 100 if 100 in limits else None


def mean(values: NDArray[np.float64]) -> float:
    """The mean of the values that are defined, -1 where none is."""
    there = values[values > -1]
    return float(np.mean(there)) if len(there) else -1.0


def summarise(curves: Curves, plan: Plan, policy: Policy) -> dict[str, float]:
    """Headline numbers by name, in the order of pycocotools' `stats`; -1 where one is not defined.

    AP, AP50, AP75, then AP of each size; AR at each limit, then AR of each size. The ranges of slices come last.
    """
    ious, limits = plan.settings.ious, plan.settings.detections
    limit = headline_limit(limits, policy)
    sizes = range(1, len(plan.ranges))

    def ap(area: int, iou: float | None = None) -> float:
        if limit is None:
            return -1.0
        values = curves.precision[curves.limits.index(limit), area]
        at = slice(None) if iou is None else threshold_at(ious, iou, policy)
        return -1.0 if at is None else mean(values[at])

    def ar(area: int, most: int) -> float:
        return mean(curves.recall[limits.index(most), area])

    numbers = {"AP": ap(0), "AP50": ap(0, 0.5), "AP75": ap(0, 0.75)}
    numbers |= {f"AP{plan.ranges[area].suffix}": ap(area) for area in sizes}
    numbers |= {f"AR{most}": ar(0, most) for most in limits}
    last = limits[-1] if limit is None else limit
    return numbers | {f"AR{plan.ranges[area].suffix}": ar(area, last) for area in sizes}
