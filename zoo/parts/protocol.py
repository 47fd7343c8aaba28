"""The settings of decoding that move a measured number."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Protocol:
    """Thresholds for turning raw outputs into detections; None keeps the family's own (`Detector.native`).

    score:     detections below it are dropped, in [0, 1].
    iou:       non-maximum suppression drops a box that overlaps a better one of its class by more, in [0, 1].
    max_boxes: at most so many detections a picture, best first.
    """

    score: float | None = None
    iou: float | None = None
    max_boxes: int | None = None

    def __post_init__(self) -> None:
        for name in ("score", "iou"):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, int | float) and 0 <= value <= 1):
                raise ValueError(f"Protocol({name}={value!r}): a threshold lies between 0 and 1, for example {name}=0.5")
        if self.max_boxes is not None and not (isinstance(self.max_boxes, int) and self.max_boxes >= 1):
            raise ValueError(f"Protocol(max_boxes={self.max_boxes!r}): a whole number, at least 1, for example max_boxes=100")

    def over(self, native: Protocol) -> Protocol:
        """This protocol with its open settings filled from `native`."""
        given = {name: value for name, value in vars(self).items() if value is not None}
        return replace(native, **given)
