"""Validation gives the evaluator's numbers."""

import pytest
import torch

from zoo.data import Dataset
from zoo.errors import UsageError
from zoo.evaluate import Evaluator
from zoo.labels.builtin import space_of
from zoo.testing.toy import Toy
from zoo.train.validation import check_best, measure


def test_the_numbers_are_those_of_the_evaluator(blocks: Dataset) -> None:
    torch.manual_seed(1)
    model = Toy(space_of(["dark", "bright"]))
    evaluator = Evaluator(blocks.truth)
    for row, record in enumerate(blocks.images):
        found = model.detect(blocks.image(row).pixels, score=0.01, iou=0.65, max_boxes=100)
        evaluator.update([record.id], [found])
    expected = {name: value for name, value in evaluator.numbers().items() if value >= 0}
    assert measure(model, blocks, batch_size=1) == expected
    assert measure(model, blocks, batch_size=5).keys() == expected.keys()


def test_the_best_is_a_number_of_the_evaluator(blocks: Dataset) -> None:
    check_best("AP50", blocks)
    with pytest.raises(UsageError, match="'AP50'"):
        check_best("AP_50", blocks)
