"""The latest samples stay within their bytes."""

import pickle

import torch

from zoo.train.recent import Recent
from zoo.train.sample import Sample


def sample(side: int) -> Sample:
    boxes, labels = torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64)
    return Sample(torch.zeros(3, side, side, dtype=torch.uint8), boxes, labels)


def test_the_latest_stay_and_the_oldest_go() -> None:
    loaded: list[int] = []

    def load(row: int) -> Sample:
        loaded.append(row)
        return sample(10)

    recent = Recent(3 * 300)
    for row in (0, 1, 2, 0, 3, 0, 2, 1):
        recent.get(row, load)
        assert len(recent) <= 3
    assert loaded == [0, 1, 2, 3, 1]


def test_one_that_is_larger_than_all_room_is_not_kept() -> None:
    recent = Recent(1000)
    recent.get(0, lambda row: sample(10))
    assert recent.get(1, lambda row: sample(100)).size == (100, 100)
    assert len(recent) == 0
    recent.get(2, lambda row: sample(10))
    assert len(recent) == 1


def test_masks_count() -> None:
    one = sample(10)
    masked = Sample(one.image, one.boxes, one.labels, torch.zeros(5, 10, 10, dtype=torch.bool))
    recent = Recent(700)
    recent.get(0, lambda row: masked)
    assert len(recent) == 0


def test_a_copy_begins_empty() -> None:
    recent = Recent(5000)
    recent.get(0, lambda row: sample(10))
    copy = pickle.loads(pickle.dumps(recent))
    assert (copy.room, len(copy)) == (5000, 0)
