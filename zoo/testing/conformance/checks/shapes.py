"""Checks that images of every size and shape are processed, or refused with an ImageError."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from zoo.detectors.detector import Detector
from zoo.errors import ImageError
from zoo.testing.conformance.errors import ConformanceError, require
from zoo.testing.conformance.images import detect, detect_all, scene


def check_any_size(detector: Detector) -> None:
    """Results for images of odd sizes, smaller and larger than the network's input, have the sizes
    of the images."""
    _answers(detector, [(33, 57), (7, 13), (211, 97)])


def check_one_pixel(detector: Detector) -> None:
    """An image of one pixel has a result."""
    _answers(detector, [(1, 1)])


def check_long_and_flat(detector: Detector) -> None:
    """Images forty times as wide as high, or as high as wide, have results; one of 1000 x 1 pixels
    has one too, or is an ImageError."""
    _answers(detector, [(6, 240), (240, 6)])
    try:
        _answers(detector, [(1, 1000)])
    except ImageError:
        return


def check_nothing_to_see(detector: Detector) -> None:
    """An image of one color has a result."""
    detect_all(detector, [torch.full_like(scene(), value) for value in (0, 114, 255)])


def check_empty_image_refused(detector: Detector) -> None:
    """An image without pixels is an ImageError."""
    try:
        detect(detector, torch.zeros(3, 0, 0, dtype=torch.uint8))
    except ImageError:
        return
    raise ConformanceError("It accepted an image of 0 x 0 pixels.")


def _answers(detector: Detector, sizes: Sequence[tuple[int, int]]) -> None:
    answers = detect_all(detector, [scene(height, width) for height, width in sizes])
    for detections, (height, width) in zip(answers, sizes, strict=True):
        require(
            detections.size == (height, width),
            f"The result of an image of {width} x {height} has the size {detections.size}.",
        )
