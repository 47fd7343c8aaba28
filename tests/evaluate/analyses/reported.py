"""Reports of hand-made detections, for the tests of the analyses."""

from typing import Any

import numpy as np

from zoo.evaluate import Evaluator, GroundTruth, Report

BOXES = {
    "image": [1, 1, 1, 2],
    "label": [0, 1, 0, 1],
    "box": [[0, 0, 100, 100], [200, 0, 300, 100], [400, 0, 500, 100], [0, 0, 100, 100]],
}


NAMES = ("cat", "dog")


def reported(
    found: list[tuple[int, int, float, list[float]]], boxes: dict[str, Any] = BOXES, **options: Any
) -> Report:
    """The report of detections (image, label, score, box)."""
    truth = GroundTruth.of([1, 2], boxes, label_space=NAMES)
    evaluator = Evaluator(truth, **options)
    for image in (1, 2):
        mine = [one for one in found if one[0] == image]
        evaluator.update(
            [image],
            [
                {
                    "boxes": np.array([box for *_, box in mine], float).reshape(-1, 4),
                    "scores": np.array([score for _, _, score, _ in mine]),
                    "labels": np.array([label for _, label, _, _ in mine], int),
                }
            ],
        )
    return evaluator.compute(resamples=0)


EVERY_MISTAKE: list[tuple[int, int, float, list[float]]] = [
    (1, 0, 0.95, [0, 0, 100, 100]),  # right
    (1, 0, 0.9, [0, 0, 100, 90]),  # the same cat again
    (1, 0, 0.85, [200, 0, 300, 100]),  # a dog taken for a cat
    (1, 0, 0.8, [400, 0, 500, 30]),  # a cat, badly placed
    (1, 0, 0.7, [200, 0, 300, 30]),  # a dog taken for a cat and badly placed
    (1, 1, 0.6, [0, 200, 100, 300]),  # nothing there
]
