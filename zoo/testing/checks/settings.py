"""The settings of decoding do what `Protocol` says of them."""

from __future__ import annotations

from torchvision.ops import box_iou

from zoo.detections import Detections
from zoo.detectors.detector import Detector
from zoo.parts import Protocol
from zoo.testing.pictures import EVERYTHING, decode, scene
from zoo.testing.verdict import NotApplicable, require

EDGE = 0.5  # pixels; a box that ends at the picture's edge was cut there, which changes how much it overlaps others


def check_settings_of_its_own(detector: Detector) -> None:
    """`native` has a value for every setting, so that a call may leave any of them open."""
    missing = [name for name, value in vars(detector.native).items() if value is None]
    require(not missing, f"native says nothing of {', '.join(missing)}.")


def check_score_floor_obeyed(detector: Detector) -> None:
    """Nothing is returned that scores less than `score`."""
    scores = _seen(detector, EVERYTHING).scores
    floor = float(scores[len(scores) // 2]) if len(scores) else 0.5
    found = _seen(detector, Protocol(score=floor, max_boxes=EVERYTHING.max_boxes)).scores
    low = found[found < floor]
    require(not len(low), f"With score={floor:.4g} it returned {float(low.min()) if len(low) else 0:.4g}.")


def check_max_boxes_obeyed(detector: Detector) -> None:
    """`max_boxes=2` returns the best two at most."""
    many, few = _seen(detector, EVERYTHING), _seen(detector, Protocol(score=0.0, max_boxes=2))
    require(len(few) <= 2, f"With max_boxes=2 it returned {len(few)}.")
    require(few.equals(many.top(2), tolerance=1e-4), "With max_boxes=2 it returned others than the best two.")


def check_iou_obeyed(detector: Detector) -> None:
    """At `iou=0.3` no two boxes of a class overlap by more, but for boxes that the picture's edge has cut."""
    if detector.native.iou == 1:
        raise NotApplicable("It suppresses nothing: its own iou is 1.")
    seen = _seen(detector, Protocol(score=0.0, iou=0.3, max_boxes=EVERYTHING.max_boxes))
    height, width = scene().shape[1:]
    whole = seen.inside((EDGE, EDGE, width - EDGE, height - EDGE))
    overlaps = box_iou(whole.boxes, whole.boxes).nan_to_num().triu(1) * (whole.labels[:, None] == whole.labels[None])
    worst = float(overlaps.max()) if len(whole) else 0.0
    require(worst <= 0.3 + 1e-3, f"With iou=0.3 two boxes of one class overlap by {worst:.3f}.")


def _seen(detector: Detector, protocol: Protocol) -> Detections:
    return decode(detector, [scene()], protocol)[0]
