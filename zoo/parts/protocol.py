"""A protocol: every setting on the way from pictures to detections that moves a measured number."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from numbers import Integral, Real
from typing import Literal

from zoo.errors import NameNotFound


@dataclass(frozen=True)
class Protocol:
    """How pictures become detections; None keeps the family's own threshold (`Detector.native`).

    score:     detections below it are dropped, in [0, 1].
    iou:       non-maximum suppression drops a box that overlaps a better one by more, in [0, 1]; families without it ignore this.
    max_boxes: at most so many detections a picture, best first.
    nms:       suppression acts within a "class", as every family does it, or on "all" boxes, whatever their class.
    resize:    pictures are resized as the "card" says: each model gets the input it was trained for.
    precision: of the network's arithmetic; the two short ones by autocast.
    exif:      "apply" turns pictures upright, which is what annotators saw; "ignore" takes them as they are stored.
    """

    score: float | None = None
    iou: float | None = None
    max_boxes: int | None = None
    nms: Literal["class", "all"] = "class"
    resize: Literal["card"] = "card"
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    exif: Literal["apply", "ignore"] = "apply"

    def __post_init__(self) -> None:
        for name in ("score", "iou"):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, Real) and 0 <= float(value) <= 1):
                raise ValueError(f"Protocol({name}={value!r}): a threshold lies between 0 and 1, for example {name}=0.5")
        if self.max_boxes is not None and not (isinstance(self.max_boxes, Integral) and self.max_boxes >= 1):
            raise ValueError(f"Protocol(max_boxes={self.max_boxes!r}): a whole number, at least 1, for example max_boxes=100")
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise ValueError(f"Protocol({name}={getattr(self, name)!r}): one of {', '.join(choices)}")

    @classmethod
    def named(cls, name: str) -> Protocol:
        """`uniform` or `native`, see `PROTOCOLS`. Raises: NameNotFound for another name."""
        if name not in PROTOCOLS:
            there = " and ".join(PROTOCOLS)
            raise NameNotFound(
                f"The protocol '{name}' was asked for.", f"There are {there}.", "Take one, or pass a zoo.Protocol."
            )
        return PROTOCOLS[name]

    @property
    def name(self) -> str:
        """The name it goes by in `PROTOCOLS`, else `custom`."""
        return next((name for name, known in PROTOCOLS.items() if known == self), "custom")

    @property
    def sha256(self) -> str:
        """A fingerprint of the settings, as 64 hex digits; numbers of different fingerprints are never compared."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def to_json(self) -> str:
        """Every setting by name, in one line; null is the family's own."""
        return json.dumps(asdict(self), sort_keys=True)

    def over(self, native: Protocol) -> Protocol:
        """This protocol with its open settings filled from `native`."""
        given = {name: value for name, value in vars(self).items() if value is not None}
        return replace(native, **given)


_CHOICES = {
    "nms": ("class", "all"),
    "resize": ("card",),
    "precision": ("float32", "bfloat16", "float16"),
    "exif": ("apply", "ignore"),
}

# uniform: the same thresholds for every model, for tables that compare (docs/adr/0008 says why these).
# native:  every family's own thresholds, for numbers that are held against claims.
PROTOCOLS = {"uniform": Protocol(score=0.01, iou=0.65, max_boxes=100), "native": Protocol()}
