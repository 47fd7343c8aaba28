"""Precision and recall, held against a count by hand."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.data import GroundTruth
from zoo.evaluate import CocoSettings, Evaluator
from zoo.evaluate.coco.accumulation import by_score, mean

HIT, MISS = [0.0, 0, 10, 10], [50.0, 50, 60, 60]


def sample(found: list[tuple[float, bool]], *, boxes: int, limits: tuple[int, ...] = (100,)) -> Any:
    """A box per image; each detection is of an image of its own and hits its box or not."""
    images = max(boxes, len(found), 1)
    table = {"image": range(boxes), "label": [0] * boxes, "box": [HIT] * boxes}
    truth = GroundTruth.of(range(images), table, label_space=["cat"])
    evaluator = Evaluator(truth, settings=CocoSettings(detections=limits), backend="numpy")
    for image in range(images):
        mine = found[image : image + 1]
        detections = {
            "boxes": np.array([HIT if true else MISS for _, true in mine]).reshape(-1, 4),
            "scores": np.array([score for score, _ in mine]),
            "labels": np.zeros(len(mine), int),
        }
        evaluator.update([image], [detections])
    return evaluator.matched_images()


def by_hand(found: list[tuple[float, bool]], boxes: int) -> tuple[list[float], float]:
    """Interpolated precision at 101 recalls, and the largest recall, in plain Python."""
    ranked = sorted(found, key=lambda one: -one[0])  # stable: equal scores by image
    points, true = [], 0
    for count, (_, hit) in enumerate(ranked, start=1):
        true += hit
        points.append((true / boxes, true / count))
    recalls = np.linspace(0, 1, 101)
    best = [
        max((precision for recall, precision in points if recall >= at), default=0.0)
        for at in recalls
    ]
    return best, points[-1][0] if points else 0.0


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from([0.1, 0.3, 0.3, 0.7, 0.9]), st.booleans()), max_size=12),
    st.integers(0, 3),
)
def test_curves_are_what_counting_gives(found: list[tuple[float, bool]], lost: int) -> None:
    boxes = len(found) + lost
    if not boxes:
        return
    curves = sample(found, boxes=boxes).curves
    precision, recall = by_hand(found, boxes)
    assert curves.precision[0, 0, 0, :, 0] == pytest.approx(np.array(precision))
    assert curves.recall[0, 0, 0, 0] == pytest.approx(recall)


def test_precision_never_rises_with_recall() -> None:
    curves = sample([(0.9, False), (0.8, True), (0.7, True)], boxes=3).curves
    values = curves.precision[0, 0, 0, :, 0].tolist()
    assert all(after <= before for before, after in pairwise(values))


def test_a_class_without_boxes_has_no_curve() -> None:
    curves = sample([(0.9, False)], boxes=0).curves
    assert (curves.precision == -1).all()
    assert (curves.recall == -1).all()


def test_the_scores_of_a_curve_are_wanted_or_left_out() -> None:
    made = sample([(0.9, True), (0.4, True)], boxes=2)
    scores = made.curves_at([100]).scores[0, 0, 0, :, 0]
    assert scores[0] == 0.9
    assert scores[-1] == 0.4
    assert len(made.curves_at([100], scores=False).scores) == 0


def test_of_equal_scores_the_smaller_image_comes_first() -> None:
    order, edges = by_score(sample([(0.5, True), (0.9, True), (0.5, False)], boxes=3).outcomes, 1)
    assert order.tolist() == [1, 0, 2]
    assert edges.tolist() == [0, 3]


def test_the_mean_is_of_what_is_defined() -> None:
    assert mean(np.array([0.2, -1, 0.4])) == pytest.approx(0.3)
    assert mean(np.array([-1.0, -1])) == -1
    assert mean(np.array([])) == -1
