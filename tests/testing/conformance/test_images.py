"""Small images to check a detector with, and what it sees in them."""

import torch

from zoo.contract import Protocol
from zoo.labels import LabelSpace
from zoo.testing import Toy
from zoo.testing.conformance.images import (
    BOX,
    Pass,
    decode,
    detect,
    detect_all,
    no_objects,
    one_target,
    preprocess,
    scene,
)


def toy() -> Toy:
    torch.manual_seed(0)
    return Toy(LabelSpace.custom(["red", "green"])).eval()


def test_a_scene_is_the_same_for_a_seed_and_another_for_each() -> None:
    assert scene().shape == (3, 48, 64)
    assert scene().dtype == torch.uint8
    assert torch.equal(scene(20, 30, seed=3), scene(20, 30, seed=3))
    assert not torch.equal(scene(), scene(seed=1))


def test_scenes_leave_the_random_numbers_of_others_alone() -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    scene()
    assert torch.equal(torch.rand(3), expected)


def test_targets_are_one_object_or_none() -> None:
    assert one_target(1).boxes.tolist() == [list(BOX)]
    assert one_target(1).labels.tolist() == [1]
    assert len(no_objects().labels) == 0


def test_what_is_decoded_by_hand_is_what_is_detected() -> None:
    detector, images = toy(), [scene(), scene(seed=1)]
    by_hand = decode(detector, images)
    for ours, theirs in zip(by_hand, detect_all(detector, images), strict=True):
        assert torch.equal(ours.boxes, theirs.boxes)
        assert torch.equal(ours.scores, theirs.scores)
    assert torch.equal(by_hand[0].labels, detect(detector, images[0]).labels)


def test_one_pass_can_be_decoded_more_than_once() -> None:
    class Spoiling(Toy):
        def decode(self, outputs, batch, thresholds):
            found = super().decode(outputs, batch, thresholds)
            outputs.zero_()
            return found

    torch.manual_seed(0)
    once = Pass.at(Spoiling(LabelSpace.custom(["red", "green"])), [scene()])
    [first], [again] = (once.decoded(Protocol(score=0.0)) for _ in range(2))
    assert torch.equal(first.scores, again.scores)


def test_a_batch_is_where_the_network_is_and_of_its_type() -> None:
    batch = preprocess(toy().double(), [scene()])
    assert batch.pixels.dtype == torch.float64
