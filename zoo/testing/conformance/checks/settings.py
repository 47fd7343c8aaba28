"""The settings of decoding do what `Protocol` says of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from zoo.contract import Protocol, Thresholds
from zoo.detectors.detector import Detector
from zoo.testing.conformance.errors import NotApplicable, require
from zoo.testing.conformance.images import EVERYTHING, Pass, scene
from zoo.testing.conformance.raised import CONFIDENT, raised_pass

PARTS = 0.25, 0.5, 0.75  # of the boxes, best first, whose scores are floors
HIGH = 0.5, 0.9, 1.0


def check_settings_of_its_own(detector: Detector) -> None:
    """`defaults` are `Thresholds`, so that a call may leave any of them open."""
    kind = type(detector.defaults).__name__
    require(isinstance(detector.defaults, Thresholds), f"Its defaults are {kind}, not Thresholds.")


def check_score_floor_obeyed(detector: Detector) -> None:
    """Nothing is returned that scores less than `score`, whether that is low, in the middle of the
    scores or above them all.

    Asked with random weights, and with the outputs of its last layers raised, so that some scores
    are
    high: from 0.5 to 1.
    """
    for look in _looks(detector):
        detections = look.decoded(EVERYTHING)[0]
        floors = (
            [float(detections.scores[int(len(detections) * part)]) for part in PARTS]
            if len(detections)
            else []
        )
        for floor in [*floors, *HIGH]:
            kept = look.decoded(Protocol(score=floor, max_boxes=EVERYTHING.max_boxes))[0]
            low = kept.scores[kept.scores < floor]
            require(
                not len(low),
                f"With score={floor:.4g} it returned {float(low.min()) if len(low) else 0:.4g}.",
            )


def check_max_boxes_obeyed(detector: Detector) -> None:
    """`max_boxes=2` returns the best two at most."""
    look = Pass.at(detector, [scene()])
    [many], [few] = look.decoded(EVERYTHING), look.decoded(Protocol(score=0.0, max_boxes=2))
    require(len(few) <= 2, f"With max_boxes=2 it returned {len(few)}.")
    require(
        few.equals(many.top(2), tolerance=1e-4),
        "With max_boxes=2 it returned others than the best two.",
    )


def _looks(detector: Detector) -> Iterator[Pass]:
    """As it sees two scenes, and as it sees them with raised scores, where these can be."""
    scenes = [scene(), scene(seed=1)]
    yield Pass.at(detector, scenes)
    with suppress(NotApplicable):
        yield raised_pass(detector, scenes, CONFIDENT)
