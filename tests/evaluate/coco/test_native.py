"""The kernel's calls: arguments that do not belong together are refused, and precision is kept."""

from pathlib import Path

import numpy as np
import pytest

from tests.evaluate.coco.random_boxes import made
from zoo.errors import DataError
from zoo.evaluate import Evaluator, GroundTruth
from zoo.evaluate.coco.backend import available
from zoo.evaluate.coco.native import Kernel

pytestmark = pytest.mark.skipif(
    "kernel" not in available(), reason="the kernel was not built here: no C compiler"
)


def test_arrays_that_were_changed_after_they_were_checked_are_refused_by_the_kernel() -> None:
    truth, found = made(1, images=3, classes=2, boxes=9, found=5, coarse=False)
    truth.starts[-1] = 10**6
    with pytest.raises(DataError, match="do not belong together"):
        Evaluator(truth, backend="kernel").update(range(3), found)


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
    evaluator = Evaluator(truth, backend="kernel", threads=2)
    evaluator.update(range(images), found)
    assert evaluator.outcomes.scores.tolist() == [one["scores"][0].item() for one in found]


def test_a_kernel_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nothing"):
        Kernel(tmp_path / "nothing.so")


@pytest.mark.parametrize("threads", [1, 3])
def test_ranking_is_that_of_numpy(threads: int) -> None:
    truth, found = made(3, images=40, classes=3, boxes=200, found=200, coarse=True)
    evaluators = [Evaluator(truth, backend=name, threads=threads) for name in ("numpy", "kernel")]
    orders = []
    for evaluator in evaluators:
        evaluator.update(range(40), found)
        order, edges = evaluator.matched_images().order
        orders.append((order.tolist(), edges.tolist()))
    assert orders[0] == orders[1]
