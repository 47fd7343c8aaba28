"""The kernel's calls: arguments that do not belong together are refused, and precision is kept."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zoo.errors import DataError
from zoo.evaluate import Evaluator, GroundTruth
from zoo.evaluate.coco.engine import available
from zoo.evaluate.coco.native import Kernel

pytestmark = pytest.mark.skipif(
    "kernel" not in available(), reason="the kernel was not built here: no C compiler"
)


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


def test_arrays_that_were_changed_after_they_were_checked_are_refused_by_the_kernel() -> None:
    truth, found = made(1, images=3, classes=2, boxes=9, found=5, coarse=False)
    truth.starts[-1] = 10**6
    with pytest.raises(DataError, match="do not belong together"):
        Evaluator(truth, engine="kernel").update(range(3), found)


def test_detections_of_two_precisions_in_one_update_keep_their_bits() -> None:
    images = 600  # more than are matched at once
    boxes = {"image": range(images), "label": [0] * images, "box": [[0, 0, 10, 10.0]] * images}
    truth = GroundTruth.of(range(images), boxes, label_space=["a"])
    scores = np.random.default_rng(0).uniform(size=images)
    kinds = [np.float32 if image < 300 else np.float64 for image in range(images)]
    found = [
        {
            "boxes": np.array([[0, 0, 9, 9]], kind),
            "scores": np.array([score], kind),
            "labels": np.array([0]),
        }
        for score, kind in zip(scores, kinds, strict=True)
    ]
    evaluator = Evaluator(truth, engine="kernel", threads=2)
    evaluator.update(range(images), found)
    assert evaluator.outcomes.scores.tolist() == [one["scores"][0].item() for one in found]


def test_a_kernel_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nothing"):
        Kernel(tmp_path / "nothing.so")


@pytest.mark.parametrize("threads", [1, 3])
def test_ranking_is_that_of_numpy(threads: int) -> None:
    truth, found = made(3, images=40, classes=3, boxes=200, found=200, coarse=True)
    evaluators = [Evaluator(truth, engine=name, threads=threads) for name in ("numpy", "kernel")]
    orders = []
    for evaluator in evaluators:
        evaluator.update(range(40), found)
        order, edges = evaluator.sample().order
        orders.append((order.tolist(), edges.tolist()))
    assert orders[0] == orders[1]
