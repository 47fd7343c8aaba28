"""Detections of a batch are compared with its boxes, and what is wrong with them is told apart."""

import pytest
import torch

from zoo.contract import Target
from zoo.data import Dataset
from zoo.labels.builtin import space_of
from zoo.testing.toy import Toy
from zoo.train.overfit_detections import Recall, found_in
from zoo.train.samples import MicroBatch, MicroBatchSpan

SPACE = space_of(["dark", "bright"])


def test_a_detector_is_left_in_its_mode_and_its_own_detections_are_found(blocks: Dataset) -> None:
    torch.manual_seed(0)
    model = Toy(SPACE).train()
    model.drop.eval()
    images = [blocks.image(row).pixels for row in (1, 2)]
    empty = [Target(torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64))] * 2
    micro_batch = MicroBatch(
        MicroBatchSpan(0, range(2), 1.0), model.preprocess(images), tuple(empty)
    )
    nothing = found_in(model, micro_batch, images)
    assert (nothing.ap50, nothing.boxes, nothing.placed) == (0.0, 0, 0)
    assert model.training
    assert model.norm.training
    assert not model.drop.training
    assert model.norm.momentum == 0.1
    own = [each.top(1) for each in Toy.detect(model.eval(), images, score=0.01)]
    targets = tuple(Target(each.boxes, each.labels) for each in own)
    recall = found_in(model, MicroBatch(micro_batch.span, micro_batch.batch, targets), images)
    assert (recall.boxes, recall.placed) == (2, 2)
    assert recall.is_found


@pytest.mark.parametrize(
    ("recall", "words"),
    [
        (Recall(0, boxes=4, placed=0, certain=0, detections=0), "Nothing is detected"),
        (Recall(0, boxes=4, placed=3, certain=4, detections=9), "number the classes differently"),
        (Recall(0, boxes=4, placed=1, certain=4, detections=9), "mean different boxes"),
    ],
)
def test_what_it_usually_means(recall: Recall, words: str) -> None:
    assert not recall.is_found
    assert words in recall.meaning
