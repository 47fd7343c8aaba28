"""The steps of detection on one batch after the other, and what they return checked, named and free
to use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from copy import copy
from typing import TYPE_CHECKING

import torch

from zoo.contract.batch import Batch
from zoo.contract.protocol import Protocol
from zoo.detections import Detections
from zoo.errors import ContractError, ImageError
from zoo.images import Image
from zoo.inference.defect_owner import defect_owner
from zoo.inference.eval_mode import eval_mode
from zoo.inference.out_of_memory import is_out_of_memory
from zoo.inference.validate import violation
from zoo.text import pluralize

if TYPE_CHECKING:
    from zoo.detectors.detector import Detector


class BatchRunner:
    """Prepare, forward and decode, in eval mode and without gradients."""

    def __init__(self, detector: Detector, protocol: Protocol) -> None:
        self._detector = detector
        self._protocol = protocol
        self._name = getattr(detector, "name", None) or type(detector).__name__
        self._held: Batch | None = None

    def input_size(self, picture: Image) -> tuple[int, int]:
        """The network's input `(height, width)` for a picture.

        Raises:
            ImageError: the network can't take a picture of that size.
            ContractError: the detector's code failed.
        """
        height, width = picture.size
        try:
            with self._named("input_size", [picture]):
                return self._detector.input_size(height, width)
        except (
            ImageError
        ) as why:  # the family says what is wrong with such a size, and does not know whose it is
            asked = f"'{self._name}' was to look at '{picture.source}', {width} x {height} pixels."
            raise ImageError(asked, why.case, why.fix, file=picture.source) from why

    def run(self, pictures: Sequence[Image]) -> list[Detections]:
        """What is seen in each picture; they all have one input size.

        Raises:
            ContractError: the detector's code failed, or made something that is no detection.
            torch.OutOfMemoryError, MemoryError, RuntimeError: memory ran out (`memory.ran_out`).
        """
        with eval_mode(self._detector), torch.inference_mode():
            found = self._decoded(pictures)
        for seen, picture in zip(found, pictures, strict=True):
            if wrong := violation(seen, picture.size, self._detector.label_space):
                height, width = picture.size
                asked = (
                    f"'{self._name}' decoded what it saw in '{picture.source}', {width} x "
                    f"{height} pixels."
                )
                raise ContractError(asked, wrong, defect_owner(self._detector))
        return [
            _owned(self._settled(seen), picture)
            for seen, picture in zip(found, pictures, strict=True)
        ]

    def let_go(self) -> None:
        """Frees what is held between two batches."""
        self._held = None

    def too_large(self, picture: Image, error: Exception) -> ImageError:
        """The error for an image for which memory ran out."""
        height, width = picture.size
        says = str(error).partition("\n")[0].partition(". ")[0].rstrip(".") or type(error).__name__
        return ImageError(
            f"'{self._name}' was to look at '{picture.source}', {width} x {height} pixels.",
            f"There is not enough memory: {says:.200}.",
            "Free some, make the image smaller, or choose another device or a smaller model.",
            file=picture.source,
        )

    def _decoded(self, pictures: Sequence[Image]) -> list[Detections]:
        model = self._detector
        device = model.device
        with self._named("prepare", pictures):
            batch = model.prepare(
                [picture.pixels.to(device, non_blocking=True) for picture in pictures]
            )
        # Held until the next one is there: freed between two batches, its pages would go back to
        # the system, and getting them anew costs a small network on a CPU a few percent of its
        # time.
        self._held = batch
        with self._named("forward", pictures), self._arithmetic(device):
            raw = model(batch)
        with self._named("decode", pictures):
            found = list(model.decode(raw, batch, self._protocol))
        if len(found) != len(pictures):
            raise self._broken(
                pictures,
                f"Its decode returned {len(found)} Detections for "
                f"{pluralize(len(pictures), 'picture')}.",
            )
        return found

    def _arithmetic(self, device: torch.device) -> AbstractContextManager[object]:
        kind = self._protocol.precision
        return (
            nullcontext()
            if kind == "float32"
            else torch.autocast(device.type, dtype=getattr(torch, kind))
        )

    def _settled(self, seen: Detections) -> Detections:
        """Without boxes that overlap a better one of any class, where the protocol wants that;
        families look within classes."""
        if self._protocol.nms == "class":
            return seen
        iou = self._protocol.over(self._detector.native).iou
        return seen if iou is None else seen.suppress("nms", iou=iou, class_agnostic=True)

    @contextmanager
    def _named(self, step: str, pictures: Sequence[Image]) -> Iterator[None]:
        """What the detector's own code raises becomes an error that names the detector, the step
        and the picture."""
        try:
            yield
        except (ContractError, ImageError):
            raise
        except (
            Exception,
            SystemExit,
            GeneratorExit,
        ) as error:  # a plugin's exit would be taken for the end of all work
            if is_out_of_memory(error):
                raise
            says = " ".join(str(error).split())
            raise self._broken(
                pictures, f"Its {step} raised {type(error).__name__}: {says}"
            ) from error

    def _broken(self, pictures: Sequence[Image], case: str) -> ContractError:
        first = pictures[0].source
        count = (
            f"{len(pictures)} pictures, the first of them '{first}'"
            if len(pictures) > 1
            else f"'{first}'"
        )
        asked = f"'{self._name}' was to say what it sees in {count}."
        return ContractError(asked, case, defect_owner(self._detector))


def _owned(seen: Detections, picture: Image) -> Detections:
    """The same, with its picture's name and size, in tensors that may be changed and trained with.

    What inference mode made may not, and may be a view that keeps a whole batch's output alive.
    """
    owned = copy(seen)  # not a new Detections: what was checked once needs no second check
    columns = {name: getattr(seen, name).clone() for name in ("boxes", "scores", "labels")}
    vars(owned).update(columns, source=picture.source, size=picture.size)
    return owned
