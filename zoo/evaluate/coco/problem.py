"""Ground truth and settings, prepared for matching: what is asked about every box, once for all
detections."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from zoo.data.ground_truth import GroundTruth
from zoo.errors import DataError
from zoo.evaluate.policy import EdgeCasePolicy
from zoo.evaluate.settings import Area, CocoSettings

# Error types, confusion, LRP and calibration are read off the matching at this IoU.
ANALYSED_IOU = 0.5


@dataclass(frozen=True, eq=False)
class MatchingProblem:
    """Everything that matching needs except the detections.

    truth, settings: what was asked.
    ranges:   size ranges, then one range per value of the attributes to slice by; range r is bit r
              of a mask.
    ignore:   (n,) uint16, bit r: the box does not count in range r.
    void:     (n,) bool: a match with this box goes uncounted (annotation id 0, as pycocotools).
    """

    truth: GroundTruth
    settings: CocoSettings
    ranges: tuple[Area, ...]
    ignore: NDArray[np.uint16]
    void: NDArray[np.bool_]

    @classmethod
    def of(
        cls, truth: GroundTruth, settings: CocoSettings, policy: EdgeCasePolicy
    ) -> MatchingProblem:
        """Raises: DataError where an attribute is not there, or where its values make more than 16
        ranges."""
        outside = [
            truth.crowd | (truth.areas < area.low) | (truth.areas > area.high)
            for area in settings.areas
        ]
        ranges = list(settings.areas)
        for attribute in settings.slices:
            for value, rows in _values(truth, attribute):
                ranges.append(Area(f"{attribute}={value}", f"[{attribute}={value}]", 0.0, 1e30))
                outside.append(truth.crowd | ~rows)
        if len(ranges) > 16:
            raise DataError(
                f"Slices by {', '.join(settings.slices)} are too many.",
                f"With the size ranges that makes {len(ranges)}; a matching has room for 16.",
                "Slice by fewer attributes at a time, or put rare values together.",
            )
        ignore = np.zeros(len(truth.labels), np.uint16)
        for number, rows in enumerate(outside):
            ignore |= (rows.astype(np.uint16) << number).astype(np.uint16)
        void = (
            (truth.ids == 0) if policy.annotation_zero == "miss" else np.zeros(len(truth.ids), bool)
        )
        return cls(truth, settings, tuple(ranges), ignore, void)

    @cached_property
    def lows(self) -> NDArray[np.float64]:
        """(r,) least area of each range."""
        return np.array([area.low for area in self.ranges])

    @cached_property
    def highs(self) -> NDArray[np.float64]:
        """(r,) largest area of each range."""
        return np.array([area.high for area in self.ranges])

    @cached_property
    def thresholds(self) -> NDArray[np.float64]:
        """(t,) the IoU each threshold asks for, as pycocotools clips it; one more where the
        analyses' is not among them."""
        ious = (
            self.settings.ious
            if ANALYSED_IOU in self.settings.ious
            else (*self.settings.ious, ANALYSED_IOU)
        )
        return np.minimum(ious, 1 - 1e-10)

    @cached_property
    def analysed_threshold(self) -> int:
        """The position of the IoU threshold that the analyses use."""
        return int(np.flatnonzero(self.thresholds == ANALYSED_IOU)[0])

    @cached_property
    def keys(self) -> NDArray[np.int64]:
        """(n,) image and class of each box as one ascending number."""
        return self.truth.images.astype(np.int64) * len(self.truth.label_space) + self.truth.labels

    def positives(self, marks: NDArray[np.bool_]) -> NDArray[np.int64]:
        """(r, k) boxes that count, per range and class, in the images that `marks` (m,) names."""
        marked = marks[self.truth.images]
        counted = [
            marked & ((self.ignore >> number) & 1 == 0) for number in range(len(self.ranges))
        ]
        classes = len(self.truth.label_space)
        return np.stack(
            [np.bincount(self.truth.labels[rows], minlength=classes) for rows in counted]
        )


def _values(truth: GroundTruth, attribute: str) -> list[tuple[object, NDArray[np.bool_]]]:
    if attribute not in truth.box_attributes:
        attributes = ", ".join(truth.box_attributes) or "none"
        raise DataError(
            f"No slices by '{attribute}'.",
            f"The boxes of {truth.name} have these attributes: {attributes}.",
            "Name one of them.",
        )
    column = truth.box_attributes[attribute]
    return [
        (value.item() if hasattr(value, "item") else value, column == value)
        for value in np.unique(column)
    ]
