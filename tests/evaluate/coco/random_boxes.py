"""Random ground truth and detections near it, for tests of the backends."""

from typing import Any

import numpy as np

from zoo.evaluate import GroundTruth


def made(
    seed: int, *, images: int, classes: int, boxes: int, found: int, coarse: bool
) -> tuple[GroundTruth, list[dict[str, Any]]]:
    """Random boxes, some of them crowds, and detections near them, coarse ones with many ties."""
    random = np.random.default_rng(seed)
    side = random.integers(0, 12, (boxes, 2)) * 10 if coarse else random.uniform(0, 150, (boxes, 2))
    corner = (
        random.integers(0, 5, (boxes, 2)) * 10 if coarse else random.uniform(0, 100, (boxes, 2))
    )
    xyxy = np.concatenate([corner, corner + side], 1).astype(float)
    table = {
        "image": random.integers(0, images, boxes),
        "label": random.integers(0, classes, boxes),
        "box": xyxy,
        "area": (side[:, 0] * side[:, 1]) * random.choice([1.0, 0.6], boxes),
        "crowd": random.uniform(size=boxes) < 0.15,
        "id": np.arange(boxes),
        "occluded": random.choice(["no", "partly", "yes"], boxes),
    }
    truth = GroundTruth.of(
        range(images), table, label_space=[f"class {number}" for number in range(classes)]
    )
    detections = []
    for _ in range(images):
        count = int(random.integers(0, 2 * found + 1))
        rows = random.integers(0, boxes, count) if boxes else np.zeros(0, int)
        near = xyxy[rows].reshape(-1, 4)[:count]
        shift = (
            random.integers(-1, 2, near.shape) * 10 if coarse else random.normal(0, 8, near.shape)
        )
        moved = near + shift
        moved[:, 2:] = np.maximum(moved[:, 2:], moved[:, :2])
        scores = (
            random.integers(0, 4, len(near)) / 4 if coarse else random.uniform(-1, 1, len(near))
        )
        dtype = np.float32 if seed % 2 else np.float64
        detections.append(
            {
                "boxes": moved.astype(dtype),
                "scores": scores.astype(dtype),
                "labels": random.integers(0, classes, len(near)),
            }
        )
    return truth, detections
