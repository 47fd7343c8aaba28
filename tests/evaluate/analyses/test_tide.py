"""Kinds of mistakes and what they cost: hand-made cases, and tidecv's numbers."""

import numpy as np
import pytest

from tests.evaluate.analyses.reported import EVERY_MISTAKE, reported
from zoo.evaluate import Evaluator
from zoo.evaluate.coco_files import read, read_results


def test_each_kind_of_mistake_is_told_apart() -> None:
    analyses = reported(EVERY_MISTAKE).analyses
    assert analyses is not None
    counts = {kind: one.count for kind, one in analyses.mistakes.kinds.items()}
    assert counts == {
        "class": 1,
        "location": 1,
        "both": 1,
        "duplicate": 1,
        "background": 1,
        "missed": 1,
    }  # the dog in image 2


def test_the_cost_of_a_mistake_is_the_ap_that_its_repair_gains() -> None:
    half = [
        (1, 0, 0.9, [0, 0, 100, 100]),
        (1, 0, 0.8, [400, 0, 500, 40]),
        (1, 1, 0.7, [200, 0, 300, 100]),
        (2, 1, 0.6, [0, 0, 100, 100]),
    ]
    report = reported(half)  # type: ignore[arg-type]
    assert report.analyses is not None
    assert report.ap50 == pytest.approx((51 / 101 + 1) / 2)
    costs = {kind: one.cost for kind, one in report.analyses.mistakes.kinds.items()}
    assert costs["location"] == pytest.approx(1 - (51 / 101 + 1) / 2)
    assert [kind for kind, cost in costs.items() if cost > 1e-9] == ["location"]
    assert report.analyses.mistakes.false_negatives == pytest.approx(costs["location"])


def test_real_mistakes_are_counted_as_by_tidecv(shared) -> None:
    """tidecv 1.0.1 on the same boxes and classes; its recall points differ in their last bits, and
    its costs by as little."""
    truth = read(shared / "coco_val2017_128/instances.json")
    ids, found = read_results(shared / "coco_val2017_128/yolox_nano_detections.json", truth)
    have = np.unique(truth.labels[~truth.crowd])
    assert not truth.crowd.any()
    evaluator = Evaluator(truth)
    kept = [
        {column: values[np.isin(one["labels"], have)] for column, values in one.items()}
        for one in found
    ]
    evaluator.update(ids, kept, box_format="xywh")
    analyses = evaluator.compute(resamples=0).analyses
    assert analyses is not None
    expected = {
        "class": (340, 0.06365138619145654),
        "location": (1262, 0.06995678596982075),
        "both": (962, 0.01801680895250527),
        "duplicate": (279, 0.005991733972427014),
        "background": (2087, 0.017267216957739605),
        "missed": (156, 0.06640496063633314),
    }
    assert {kind: one.count for kind, one in analyses.mistakes.kinds.items()} == {
        kind: count for kind, (count, _) in expected.items()
    }
    for kind, (_, cost) in expected.items():
        assert analyses.mistakes.kinds[kind].cost == pytest.approx(cost, abs=2e-5)
    assert analyses.mistakes.false_positives == pytest.approx(0.1672739685154884, abs=2e-4)
    assert analyses.mistakes.false_negatives == pytest.approx(0.17795537181333607, abs=2e-4)
