"""Reports of made-up images, for the tests of plots."""

from dataclasses import replace

import numpy as np

from zoo.evaluate import Evaluator, GroundTruth, Report


def report(*, classes: int = 3, analyses: bool = True, found: bool = True) -> Report:
    """Of made-up images, in which every second box is found."""
    random = np.random.default_rng(0)
    boxes = [[10.0 * number, 10, 10.0 * number + 8, 30] for number in range(40)]
    labels = [number % classes for number in range(40)]
    images = [f"{number // 4}.jpg" for number in range(40)]
    truth = GroundTruth.of(
        sorted(set(images)),
        {"image": images, "label": labels, "box": boxes},
        label_space=[f"class {label}" for label in range(classes)],
    )
    evaluator = Evaluator(truth, analyses=analyses)
    for image in truth.image_ids.tolist():
        rows = [row for row in range(40) if images[row] == image and row % 2 and found]
        seen = {"boxes": np.array([boxes[row] for row in rows]).reshape(-1, 4)}
        seen |= {
            "scores": random.uniform(0.1, 1, len(rows)),
            "labels": np.array([labels[row] for row in rows], int),
        }
        evaluator.update([image], [seen])
    return evaluator.compute(resamples=10).with_provenance({"model": "a model"})


def with_counts(most: int) -> Report:
    """A report with so many detections in its fullest bin."""
    made = report()
    assert made.analyses is not None
    assert made.analyses.calibration is not None
    first, *others = made.analyses.calibration.bins
    bins = (replace(first, count=most), *(replace(one, count=0) for one in others))
    calibration = replace(made.analyses.calibration, bins=bins)
    return replace(made, analyses=replace(made.analyses, calibration=calibration))
