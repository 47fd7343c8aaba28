"""Checks that the detections in an image do not depend on the other images of its batch."""

from __future__ import annotations

import torch

from zoo.detectors.detector import Detector
from zoo.testing.conformance.compare import agree, difference
from zoo.testing.conformance.errors import require
from zoo.testing.conformance.images import detect, detect_all, scene

LARGE_BATCH = 10


def check_batch_of_one_equals_single(detector: Detector) -> None:
    """A list of one image gives a list of exactly the image's detections."""
    single, [other] = (
        detector.detect(scene(), score=0.0, max_boxes=50),
        detect_all(detector, [scene()]),
    )
    require(
        single.equals(other), f"Alone and in a list of one it gives {difference(single, other)}."
    )


def check_neighbours_change_nothing(detector: Detector) -> None:
    """An image in a batch has the same detections as alone.

    Tolerance: 80 % of the 20 best boxes have a partner of the same label, with an IoU of 0.9 and a
        score within 0.01.
    """
    images = [scene(seed=1), scene(seed=2), torch.full_like(scene(), 255)]
    for position, (together, image) in enumerate(
        zip(detect_all(detector, images), images, strict=True)
    ):
        alone = detect(detector, image)
        require(
            agree(together, alone),
            f"Image {position} gives {difference(together, alone)}, in a batch and alone.",
        )


def check_large_batches_change_nothing(detector: Detector) -> None:
    """The first, the ninth and the last image of a batch of ten have the same detections as alone;
    tolerance as for `check_neighbours_change_nothing`."""
    images = [scene(seed=seed) for seed in range(LARGE_BATCH)]
    together = detect_all(detector, images)
    for position in (0, LARGE_BATCH - 2, LARGE_BATCH - 1):
        alone = detect(detector, images[position])
        case = difference(together[position], alone)
        require(
            agree(together[position], alone),
            f"Image {position} gives {case}, in a batch of ten and alone.",
        )


def check_order_kept(detector: Detector) -> None:
    """Results are in the order of the images, whatever their sizes; tolerance as for
    `check_neighbours_change_nothing`."""
    images = [
        scene(40, 64, seed=1),
        scene(64, 40, seed=2),
        scene(40, 64, seed=3),
        scene(50, 50, seed=4),
    ]
    detections = detect_all(detector, images)
    sizes = [(image.shape[1], image.shape[2]) for image in images]
    require(
        [answer.size for answer in detections] == sizes,
        f"Images of {sizes} came back as {[answer.size for answer in detections]}.",
    )
    for position in (0, 2):
        alone = detect(detector, images[position])
        require(
            agree(detections[position], alone),
            f"Result {position} is not that of image {position}: "
            f"{difference(detections[position], alone)}.",
        )
