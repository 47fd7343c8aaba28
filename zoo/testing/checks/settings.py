"""The settings of decoding do what `Protocol` says of them."""

from __future__ import annotations

from zoo.detectors.detector import Detector
from zoo.parts import Protocol
from zoo.testing.pictures import EVERYTHING, Look, scene
from zoo.testing.verdict import require


def check_settings_of_its_own(detector: Detector) -> None:
    """`native` has a value for every setting, so that a call may leave any of them open."""
    missing = [name for name, value in vars(detector.native).items() if value is None]
    require(not missing, f"native says nothing of {', '.join(missing)}.")


def check_score_floor_obeyed(detector: Detector) -> None:
    """Nothing is returned that scores less than `score`, whether that is low, in the middle of the scores or above them all."""
    look = Look.at(detector, [scene()])
    [seen] = look.decoded(EVERYTHING)
    floors = [float(seen.scores[len(seen) * part // 4]) for part in (1, 2, 3)] if len(seen) else [0.5]
    for floor in [*floors, 1.0]:
        [found] = look.decoded(Protocol(score=floor, max_boxes=EVERYTHING.max_boxes))
        low = found.scores[found.scores < floor]
        require(not len(low), f"With score={floor:.4g} it returned {float(low.min()) if len(low) else 0:.4g}.")


def check_max_boxes_obeyed(detector: Detector) -> None:
    """`max_boxes=2` returns the best two at most."""
    look = Look.at(detector, [scene()])
    [many], [few] = look.decoded(EVERYTHING), look.decoded(Protocol(score=0.0, max_boxes=2))
    require(len(few) <= 2, f"With max_boxes=2 it returned {len(few)}.")
    require(few.equals(many.top(2), tolerance=1e-4), "With max_boxes=2 it returned others than the best two.")
