"""Checks that the detections in an image do not depend on the other images of its batch."""

from __future__ import annotations

import torch

from zoo.detectors.detector import Detector
from zoo.testing.conformance.compare import agree, shown
from zoo.testing.conformance.errors import require
from zoo.testing.conformance.images import detect, detect_all, scene

TEN = 10


def check_batch_of_one_equals_single(detector: Detector) -> None:
    """A list of one image gives a list of exactly what the image gives."""
    single, [other] = (
        detector.detect(scene(), score=0.0, max_boxes=50),
        detect_all(detector, [scene()]),
    )
    require(single.equals(other), f"In a list of one it sees {shown(single, other)}.")


def check_neighbours_change_nothing(detector: Detector) -> None:
    """In a batch each image is answered as it is alone.

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
            f"Image {position} of a batch gives {shown(together, alone)}, alone and together.",
        )


def check_large_batches_change_nothing(detector: Detector) -> None:
    """In a batch of ten the first, the ninth and the last are answered as they are alone; the
    tolerance is that of neighbours."""
    images = [scene(seed=seed) for seed in range(TEN)]
    together = detect_all(detector, images)
    for position in (0, TEN - 2, TEN - 1):
        alone = detect(detector, images[position])
        difference = shown(together[position], alone)
        require(
            agree(together[position], alone),
            f"Image {position} of a batch of ten gives {difference}, alone and together.",
        )


def check_order_kept(detector: Detector) -> None:
    """Images of several sizes are answered in the order in which they came; the tolerance is that
    of neighbours."""
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
            f"Result {position} is not of image {position}: {shown(detections[position], alone)}.",
        )
