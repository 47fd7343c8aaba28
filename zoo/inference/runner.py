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

    def input_size(self, image: Image) -> tuple[int, int]:
        """The network's input `(height, width)` for an image.

        Raises:
            ImageError: the network can't take an image of that size.
            ContractError: the predictor's code failed.
        """
        height, width = image.size
        try:
            with self._named([image]), step("input_size"):
                return self._predictor.input_size(height, width)
        except ImageError as error:  # the family knows what is wrong, and not with which image
            asked = f"'{self._name}' was to look at '{image.source}', {width} x {height} pixels."
            raise ImageError(asked, error.case, error.fix, file=image.source) from error

    def run(self, images: Sequence[Image]) -> list[Detections]:
        """Detections of each image; they all have one input size.

        Raises:
            ContractError: the predictor's code failed, or returned something other than detections.
            torch.OutOfMemoryError, MemoryError, RuntimeError: memory ran out (`is_out_of_memory`).
        """
        found = self._predicted(images)
        for detections, image in zip(found, images, strict=True):
            if wrong := violation(detections, image.size, self._predictor.label_space):
                height, width = image.size
                asked = (
                    f"'{self._name}' decoded what it saw in '{image.source}', {width} x "
                    f"{height} pixels."
                )
                raise ContractError(asked, wrong, defect_owner(self._predictor))
        return [
            _owned(self._suppressed_across_classes(detections), image)
            for detections, image in zip(found, images, strict=True)
        ]

    def release(self) -> None:
        """Frees what the predictor holds between two batches."""
        release = getattr(self._predictor, "release", None)
        if release is not None:
            release()

    def too_large(self, image: Image, error: Exception) -> ImageError:
        """The error for an image for which memory ran out."""
        height, width = image.size
        says = str(error).partition("\n")[0].partition(". ")[0].rstrip(".") or type(error).__name__
        return ImageError(
            f"'{self._name}' was to look at '{image.source}', {width} x {height} pixels.",
            f"There is not enough memory: {says:.200}.",
            "Free some, make the image smaller, or choose another device or a smaller model.",
            file=image.source,
        )

    def _predicted(self, images: Sequence[Image]) -> list[Detections]:
        device = self._predictor.device
        pixels = [image.pixels.to(device, non_blocking=True) for image in images]
        with self._named(images), self._arithmetic(device), step("predict"):
            found = list(self._predictor.predict(pixels, self._thresholds))
        if len(found) != len(images):
            count = pluralize(len(images), "image")
            raise self._broken(images, f"Its decode returned {len(found)} Detections for {count}.")
        return found

    def _arithmetic(self, device: torch.device) -> AbstractContextManager[object]:
        kind = self._protocol.precision
        return (
            nullcontext()
            if kind == "float32"
            else torch.autocast(device.type, dtype=getattr(torch, kind))
        )

    def _suppressed_across_classes(self, detections: Detections) -> Detections:
        """Without boxes that overlap a better one of any class, where the protocol wants that;
        families look within classes."""
        if self._protocol.nms == "class":
            return detections
        return detections.suppress("nms", iou=self._thresholds.iou, class_agnostic=True)

    @contextmanager
    def _named(self, images: Sequence[Image]) -> Iterator[None]:
        """Turns an error of a step into one that names the predictor, the step and the image."""
        try:
            yield
        except StepError as error:
            raise self._broken(images, f"Its {error}") from error.__cause__

    def _broken(self, images: Sequence[Image], case: str) -> ContractError:
        first = images[0].source
        count = (
            f"{len(images)} images, the first of them '{first}'"
            if len(images) > 1
            else f"'{first}'"
        )
        asked = f"'{self._name}' was to say what it sees in {count}."
        return ContractError(asked, case, defect_owner(self._predictor))


def _owned(detections: Detections, image: Image) -> Detections:
    """The same, with its image's name and size, in tensors that may be changed and trained with.

    What inference mode made may not, and may be a view that keeps a whole batch's output alive.
    """
    owned = copy(detections)  # not a new Detections: what was checked once needs no second check
    columns = {name: getattr(detections, name).clone() for name in ("boxes", "scores", "labels")}
    vars(owned).update(columns, source=image.source, size=image.size)
    return owned
