"""Whole data sets and parts of them are measured the same way."""

from collections.abc import Mapping

import numpy as np
import pytest
import torch

from zoo.data import GroundTruth
from zoo.evaluate import CocoSettings, EdgeCasePolicy, Evaluator

Found = Mapping[int, Mapping[str, torch.Tensor]]


def measured(truth: GroundTruth, found: Found, **options: object) -> Evaluator:
    evaluator = Evaluator(truth, **options)  # type: ignore[arg-type]
    ids = truth.image_ids.tolist()
    evaluator.update(ids, [found[one] for one in ids])
    return evaluator


def test_numbers_are_those_of_the_evaluator(truth: GroundTruth, found: Found) -> None:
    evaluator = measured(truth, found)
    sample = evaluator.matched_images()
    assert {name: None if value == -1 else value for name, value in sample.numbers().items()} == (
        evaluator.numbers()
    )
    assert sample.ap_at(0.5) == sample.numbers()["AP50"]
    assert sample.ap_at(0.33) == -1


def test_boxes_are_counted_by_range_and_class(truth: GroundTruth, found: Found) -> None:
    positives = measured(truth, found).matched_images().positives
    assert positives[0].sum() == (~truth.crowd).sum()
    assert (positives[1:].sum(0) == positives[0]).all()  # small, medium and large are all


def test_a_part_is_what_its_images_alone_give(truth: GroundTruth, found: Found) -> None:
    rows = np.arange(len(truth)) % 2 == 0
    part = measured(truth, found).matched_images().only(rows)
    alone = Evaluator(truth, policy=EdgeCasePolicy(unseen_images="leave out"))
    ids = truth.image_ids[rows].tolist()
    alone.update(ids, [found[one] for one in ids])
    assert part.numbers() == alone.matched_images().numbers()
    assert part.counted.tolist() == rows.tolist()


def test_curves_are_kept_at_the_limits_that_numbers_are_read_at(
    truth: GroundTruth, found: Found
) -> None:
    settings = CocoSettings(detections=(1, 100, 300))
    assert measured(truth, found, settings=settings).matched_images().curves.limits == (300,)
    theirs = EdgeCasePolicy(headline="hundred")
    both = measured(truth, found, settings=settings, policy=theirs).matched_images()
    assert both.limit == 300
    assert both.curves.limits == (300, 100)


@pytest.mark.parametrize("limits", [(1,), (1, 10)])
def test_curves_at_other_limits_can_be_had(
    truth: GroundTruth, found: Found, limits: tuple[int, ...]
) -> None:
    curves = measured(truth, found).matched_images().curves_at(limits)
    assert curves.limits == limits
    assert len(curves.precision) == len(curves.scores) == len(limits)
