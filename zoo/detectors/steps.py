"""The steps of detection on one batch after the other, and what they return checked, named and free to use."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from copy import copy
from typing import TYPE_CHECKING

import torch

from zoo.detections import Detections
from zoo.detectors.checking import REPORT, check
from zoo.detectors.mode import evaluating
from zoo.errors import ContractError, LabelError
from zoo.images import Picture
from zoo.parts.batch import Batch
from zoo.parts.protocol import Protocol

if TYPE_CHECKING:
    from zoo.detectors.detector import Detector


class Steps:
    """Prepare, forward and decode, in eval mode and without gradients."""

    def __init__(self, detector: Detector, protocol: Protocol) -> None:
        self._detector = detector
        self._protocol = protocol
        self._name = getattr(detector, "name", None) or type(detector).__name__
        self._held: Batch | None = None

    def run(self, pictures: Sequence[Picture]) -> list[Detections]:
        """What is seen in each picture; they all have one input size.

        Raises:
            ContractError: the detector's plugin made something that is no detection.
        """
        with evaluating(self._detector), torch.inference_mode():
            found = self._decoded(pictures)
        for seen, picture in zip(found, pictures, strict=True):
            check(seen, picture, model=self._name, space=self._detector.space)
        return [_owned(seen, picture) for seen, picture in zip(found, pictures, strict=True)]

    def _decoded(self, pictures: Sequence[Picture]) -> list[Detections]:
        device = self._detector.device
        batch = self._detector.prepare([picture.pixels.to(device, non_blocking=True) for picture in pictures])
        # Held until the next one is there: freed between two batches, its pages would go back to the system, and getting them
        # anew costs a small network on a CPU a few percent of its time.
        self._held = batch
        with self._arithmetic(device):
            raw = self._detector(batch)
        try:
            found = [self._settled(seen) for seen in self._detector.decode(raw, batch, self._protocol)]
        except (ValueError, LabelError) as why:  # Detections refused what decode made
            raise self._broken(pictures, " ".join(str(why).split("\n"))) from why
        if len(found) != len(pictures):
            raise self._broken(pictures, f"It returned {len(found)} Detections.")
        return found

    def _arithmetic(self, device: torch.device) -> AbstractContextManager[object]:
        kind = self._protocol.precision
        return nullcontext() if kind == "float32" else torch.autocast(device.type, dtype=getattr(torch, kind))

    def _settled(self, seen: Detections) -> Detections:
        """Without boxes that overlap a better one of any class, where the protocol wants that; families look within classes."""
        if self._protocol.nms == "class":
            return seen
        iou = self._protocol.over(self._detector.native).iou
        return seen if iou is None else seen.suppress("nms", iou=iou, class_agnostic=True)

    def _broken(self, pictures: Sequence[Picture], case: str) -> ContractError:
        first = pictures[0].source
        asked = f"'{self._name}' was to decode what it saw in {len(pictures)} pictures, '{first}' the first of them."
        return ContractError(asked, case, REPORT)


def _owned(seen: Detections, picture: Picture) -> Detections:
    """The same, with its picture's name and size, in tensors that may be changed and trained with.

    What inference mode made may not, and may be a view that keeps a whole batch's output alive.
    """
    owned = copy(seen)  # not a new Detections: what was checked once needs no second check
    columns = {name: getattr(seen, name).clone() for name in ("boxes", "scores", "labels")}
    vars(owned).update(columns, source=picture.source, size=picture.size)
    return owned
