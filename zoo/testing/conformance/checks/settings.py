"""Checks that `decode` obeys the settings of a `Protocol`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from zoo.contract import Protocol, Thresholds
from zoo.detectors.detector import Detector
from zoo.testing.conformance.errors import NotApplicable, require
from zoo.testing.conformance.images import EVERYTHING, Pass, scene
from zoo.testing.conformance.raised_scores import CONFIDENT, raised_pass

SHARES = 0.25, 0.5, 0.75  # of the boxes, best first, whose scores are floors
HIGH_FLOORS = 0.5, 0.9, 1.0


def check_settings_of_its_own(detector: Detector) -> None:
    """`defaults` are `Thresholds`, so that a call may omit any of them."""
    kind = type(detector.defaults).__name__
    require(isinstance(detector.defaults, Thresholds), f"Its defaults are {kind}, not Thresholds.")


def check_score_floor_obeyed(detector: Detector) -> None:
    """No detection scores less than `score`, whether that is low, in the middle of the scores or
    above them all.

    Checked with random weights, and with raised outputs of the last layers, which give scores from
    0.5 to 1.
    """
    for one_pass in _passes(detector):
        detections = one_pass.decoded(EVERYTHING)[0]
        floors = (
            [float(detections.scores[int(len(detections) * share)]) for share in SHARES]
            if len(detections)
            else []
        )
        for floor in [*floors, *HIGH_FLOORS]:
            above = one_pass.decoded(Protocol(score=floor, max_boxes=EVERYTHING.max_boxes))[0]
            low = above.scores[above.scores < floor]
            require(
                not len(low),
                f"With score={floor:.4g} it returned {float(low.min()) if len(low) else 0:.4g}.",
            )


def check_max_boxes_obeyed(detector: Detector) -> None:
    """With `max_boxes=2` it returns at most the best two detections."""
    one_pass = Pass.at(detector, [scene()])
    [many], [few] = (
        one_pass.decoded(EVERYTHING),
        one_pass.decoded(Protocol(score=0.0, max_boxes=2)),
    )
    require(len(few) <= 2, f"With max_boxes=2 it returned {len(few)}.")
    require(
        few.equals(many.top(2), tolerance=1e-4),
        "With max_boxes=2 it returned others than the best two.",
    )


def _passes(detector: Detector) -> Iterator[Pass]:
    """A pass over two scenes, and one with raised scores, if these can be raised."""
    scenes = [scene(), scene(seed=1)]
    yield Pass.at(detector, scenes)
    with suppress(NotApplicable):
        yield raised_pass(detector, scenes, CONFIDENT)
