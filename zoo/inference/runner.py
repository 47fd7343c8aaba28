"""The steps of detection on one batch after the other, and what they return checked, named and free
to use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from copy import copy
from typing import TYPE_CHECKING

import torch

from zoo.contract.predictor import StepError
from zoo.contract.protocol import Protocol
from zoo.detections import Detections
from zoo.errors import ContractError, ImageError
from zoo.images import Image
from zoo.inference.defect_owner import defect_owner
from zoo.inference.step import step
from zoo.inference.validate import violation
from zoo.text import pluralize

if TYPE_CHECKING:
    from zoo.contract.predictor import Predictor


class BatchRunner:
    """Runs a predictor on one batch of images after the other, under a protocol."""

    def __init__(self, predictor: Predictor, protocol: Protocol) -> None:
        self._predictor = predictor
        self._protocol = protocol
        self._thresholds = protocol.thresholds(predictor.defaults)
        self._name = predictor.name or type(predictor).__name__

    def input_size(self, picture: Image) -> tuple[int, int]:
        """The network's input `(height, width)` for an image.

        Raises:
            ImageError: the network can't take an image of that size.
            ContractError: the predictor's code failed.
        """
        height, width = picture.size
        try:
            with self._named([picture]), step("input_size"):
                return self._predictor.input_size(height, width)
        except ImageError as error:  # the family knows what is wrong, and not with which image
            asked = f"'{self._name}' was to look at '{picture.source}', {width} x {height} pixels."
            raise ImageError(asked, error.case, error.fix, file=picture.source) from error

    def run(self, pictures: Sequence[Image]) -> list[Detections]:
        """What is seen in each image; they all have one input size.

        Raises:
            ContractError: the predictor's code failed, or made something that is no detection.
            torch.OutOfMemoryError, MemoryError, RuntimeError: memory ran out (`is_out_of_memory`).
        """
        found = self._predicted(pictures)
        for seen, picture in zip(found, pictures, strict=True):
            if wrong := violation(seen, picture.size, self._predictor.label_space):
                height, width = picture.size
                asked = (
                    f"'{self._name}' decoded what it saw in '{picture.source}', {width} x "
                    f"{height} pixels."
                )
                raise ContractError(asked, wrong, defect_owner(self._predictor))
        return [
            _owned(self._settled(seen), picture)
            for seen, picture in zip(found, pictures, strict=True)
        ]

    def release(self) -> None:
        """Frees what the predictor holds between two batches."""
        release = getattr(self._predictor, "release", None)
        if release is not None:
            release()

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

    def _predicted(self, pictures: Sequence[Image]) -> list[Detections]:
        device = self._predictor.device
        pixels = [picture.pixels.to(device, non_blocking=True) for picture in pictures]
        with self._named(pictures), self._arithmetic(device), step("predict"):
            found = list(self._predictor.predict(pixels, self._thresholds))
        if len(found) != len(pictures):
            count = pluralize(len(pictures), "image")
            raise self._broken(
                pictures, f"Its decode returned {len(found)} Detections for {count}."
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
        return seen.suppress("nms", iou=self._thresholds.iou, class_agnostic=True)

    @contextmanager
    def _named(self, pictures: Sequence[Image]) -> Iterator[None]:
        """Turns an error of a step into one that names the predictor, the step and the image."""
        try:
            yield
        except StepError as error:
            raise self._broken(pictures, f"Its {error}") from error.__cause__

    def _broken(self, pictures: Sequence[Image], case: str) -> ContractError:
        first = pictures[0].source
        count = (
            f"{len(pictures)} pictures, the first of them '{first}'"
            if len(pictures) > 1
            else f"'{first}'"
        )
        asked = f"'{self._name}' was to say what it sees in {count}."
        return ContractError(asked, case, defect_owner(self._predictor))


def _owned(seen: Detections, picture: Image) -> Detections:
    """The same, with its image's name and size, in tensors that may be changed and trained with.

    What inference mode made may not, and may be a view that keeps a whole batch's output alive.
    """
    owned = copy(seen)  # not a new Detections: what was checked once needs no second check
    columns = {name: getattr(seen, name).clone() for name in ("boxes", "scores", "labels")}
    vars(owned).update(columns, source=picture.source, size=picture.size)
    return owned
