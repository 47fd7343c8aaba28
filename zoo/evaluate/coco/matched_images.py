"""The matched detections of some images, a whole data set or a slice of it, and their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.evaluate.coco.accumulation import Curves, mean
from zoo.evaluate.coco.backend import Backend
from zoo.evaluate.coco.match_records import MatchRecords
from zoo.evaluate.coco.problem import MatchingProblem
from zoo.evaluate.coco.resampling import Ranking
from zoo.evaluate.coco.summary import headline_limits, summarise, threshold_at
from zoo.evaluate.policy import EdgeCasePolicy


@dataclass(frozen=True, eq=False)
class MatchedImages:
    """Match records of some images, with the settings they are measured by.

    outcomes: in order. counted: (m,) bool, the images that count, also those without outcomes.
    """

    outcomes: MatchRecords
    counted: NDArray[np.bool_]
    plan: MatchingProblem
    policy: EdgeCasePolicy
    backend: Backend
    threads: int

    @property
    def limit(self) -> int:
        """The detections per image and class that most headline numbers are read at."""
        return headline_limits(self.plan.settings.detections, self.policy)[1]

    @cached_property
    def positives(self) -> NDArray[np.int64]:
        """(r, k) boxes that count, per range and class."""
        return self.plan.positives(self.counted)

    @cached_property
    def order(self) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """(n,) detections by class, then best first, and (k + 1,) where each class begins."""
        return self.backend.by_score(
            self.outcomes, len(self.plan.truth.label_space), threads=self.threads
        )

    @cached_property
    def curves(self) -> Curves:
        """Precision and recall, without scores, at `limit`, and at that of AP where it is another
        one."""
        ap = headline_limits(self.plan.settings.detections, self.policy)[0]
        limits = [self.limit] + (
            [ap] if ap in self.plan.settings.detections and ap != self.limit else []
        )
        return self.curves_at(limits, scores=False)

    def curves_at(self, limits: Sequence[int], *, scores: bool = True) -> Curves:
        """Precision and recall at some limits of detections, with their scores if `scores`."""
        return self.backend.accumulate(
            self.outcomes,
            self.plan,
            self.positives,
            limits=limits,
            scores=scores,
            threads=self.threads,
        )

    def numbers(self) -> dict[str, float]:
        """Headline numbers by name; -1 where one is not defined."""
        return summarise(self.curves, self.plan, self.policy)

    def ap_at(self, iou: float) -> float:
        """AP at one IoU threshold; -1 where that is not among them."""
        at = threshold_at(self.plan.settings.ious, iou, self.policy)
        return mean(self.curves.precision[0, 0][list(at)])

    def ranking(self) -> Ranking:
        """The ranking that resampling needs."""
        return Ranking.of(self.outcomes, *self.order, np.flatnonzero(self.counted), self.plan)

    def only(self, images: NDArray[np.bool_]) -> MatchedImages:
        """The same of some images only; images: (m,) bool."""
        counted = self.counted & images
        return replace(
            self,
            outcomes=self.outcomes.take(np.flatnonzero(counted[self.outcomes.images])),
            counted=counted,
        )
