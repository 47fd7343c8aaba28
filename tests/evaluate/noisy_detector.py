"""Made-up boxes, and what a detector with so much noise finds of them."""

from typing import Any

import numpy as np

from zoo.evaluate import Evaluator, GroundTruth

Found = list[dict[str, np.ndarray]]


def detected(seed: int, *, images: int = 6, noise: float = 6.0) -> tuple[dict[str, Any], Found]:
    """Boxes, the same for every seed, and what a detector with so much noise finds; no two scores
    are equal."""
    world, random = np.random.default_rng(0), np.random.default_rng(seed)
    corner, side = world.uniform(0, 200, (8 * images, 2)), world.uniform(8, 150, (8 * images, 2))
    box = np.concatenate([corner, corner + side], 1)
    image, label, crowd = (
        world.integers(0, images, len(box)),
        world.integers(0, 3, len(box)),
        world.uniform(size=len(box)) < 0.1,
    )
    found = []
    for one in range(images):
        near = np.repeat(box[image == one], 3, 0)
        labels = np.where(
            random.uniform(size=len(near)) < 0.8, np.repeat(label[image == one], 3), 0
        )
        found.append(
            {
                "boxes": upright(near + random.normal(0, noise, near.shape)),
                "scores": random.uniform(size=len(near)),
                "labels": labels,
            }
        )
    return {"image": image, "label": label, "box": box, "crowd": crowd}, found


def upright(boxes: np.ndarray) -> np.ndarray:
    """Boxes whose right and lower edges come last."""
    return np.concatenate([boxes[:, :2], np.maximum(boxes[:, :2], boxes[:, 2:])], 1)


def evaluated(boxes: dict[str, Any], found: Found, **options: Any) -> Evaluator:
    evaluator = Evaluator(
        GroundTruth.of(range(len(found)), boxes, label_space=["a", "b", "c"]), **options
    )
    evaluator.update(range(len(found)), found)
    return evaluator
