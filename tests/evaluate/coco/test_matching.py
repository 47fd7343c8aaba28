"""Matching, held against COCO's algorithm in plain Python."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.data import GroundTruth
from zoo.evaluate import Area, CocoSettings, EdgeCasePolicy
from zoo.evaluate.coco.flatten import flatten
from zoo.evaluate.coco.match_records import MatchRecords
from zoo.evaluate.coco.matching import match
from zoo.evaluate.coco.problem import MatchingProblem

BOX = st.tuples(*[st.integers(0, 4)] * 2, *[st.integers(1, 4)] * 2)
SETTINGS = CocoSettings(ious=(0.5,), areas=(Area("all", "", 0, 1e10),))


def matched(
    boxes: list[tuple[int, ...]],
    crowd: list[bool],
    found: list[tuple[int, ...]],
    scores: list[float],
) -> MatchRecords:
    """One image and class. Boxes are x, y, width, height."""
    table = {"image": [1] * len(boxes), "label": [0] * len(boxes), "crowd": crowd}
    table |= {"box": np.array(boxes).reshape(-1, 4)}  # type: ignore[dict-item]
    truth = GroundTruth.of([1], table, label_space=["cat"], box_format="xywh")
    problem = MatchingProblem.of(truth, SETTINGS, EdgeCasePolicy())
    detections: dict[str, Any] = {
        "boxes": np.array(found, float).reshape(-1, 4),
        "scores": np.array(scores),
        "labels": np.zeros(len(found), int),
    }
    flat = flatten([detections], image_ids=[1], label_space=truth.label_space, box_format="xywh")
    return match(flat, np.array([0]), problem)


def iou(a: tuple[int, ...], b: tuple[int, ...], *, crowd: bool) -> float:
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(width, 0) * max(height, 0)
    return shared / (a[2] * a[3] if crowd else a[2] * a[3] + b[2] * b[3] - shared)


def by_hand(
    boxes: list[tuple[int, ...]], crowd: list[bool], found: list[tuple[int, ...]]
) -> list[str]:
    """cocoeval.py `evaluateImg` at IoU .5, detections best first: true, ignored or false."""
    order = sorted(range(len(boxes)), key=lambda row: crowd[row])
    taken: set[int] = set()
    kinds = []
    for one in found:
        best, least = -1, 0.5
        for row in order:
            if row in taken and not crowd[row]:
                continue
            if best >= 0 and not crowd[best] and crowd[row]:
                break
            overlap = iou(one, boxes[row], crowd=crowd[row])
            if overlap >= least:
                best, least = row, overlap
        taken |= {best} if best >= 0 else set()
        kinds.append("false" if best < 0 else "ignored" if crowd[best] else "true")
    return kinds


@settings(max_examples=200)
@given(st.lists(st.tuples(BOX, st.booleans()), max_size=5), st.lists(BOX, max_size=6))
def test_every_detection_is_what_coco_makes_it(
    annotated: list[tuple[tuple[int, ...], bool]], found: list[tuple[int, ...]]
) -> None:
    boxes, crowd = [box for box, _ in annotated], [flag for _, flag in annotated]
    scores = [1 - number / 10 for number in range(len(found))]
    records = matched(boxes, crowd, found, scores)
    kinds = ["false"] * len(found)
    for hit, correct, ignored in zip(
        records.hits.tolist(), records.correct[:, 0], records.ignored[:, 0], strict=True
    ):
        kinds[hit] = "true" if correct & 1 else "ignored" if ignored & 1 else "false"
    assert kinds == by_hand(boxes, crowd, found)


def test_the_best_detection_takes_the_box_whatever_the_order() -> None:
    box = (0, 0, 4, 4)
    records = matched([box], [False], [(0, 0, 4, 3), box], [0.2, 0.9])
    assert records.scores.tolist() == [0.9, 0.2]
    assert records.ranks.tolist() == [0, 1]
    assert records.hits.tolist() == [0]


def test_a_crowd_is_matched_by_any_number() -> None:
    records = matched([(0, 0, 4, 4)], [True], [(0, 0, 2, 2)] * 3, [0.9, 0.8, 0.7])
    assert records.hits.tolist() == [0, 1, 2]
    assert not records.correct.any()
    assert (records.ignored & 1 == 1).all()


def test_detections_and_boxes_may_be_none() -> None:
    assert len(matched([], [], [], [])) == 0
    assert matched([], [], [(0, 0, 1, 1)], [0.5]).hits.tolist() == []
    assert len(matched([(0, 0, 1, 1)], [False], [], [])) == 0
