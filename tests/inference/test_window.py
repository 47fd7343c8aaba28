"""Batches leave the window when they are full or it is crowded, outcomes in the order of images."""

import torch

from zoo.images import Image
from zoo.inference.batch_limit import BatchLimit
from zoo.inference.window import Slot, Window

SMALL, LARGE = (32, 32), (64, 64)


def window(limit: int, *, most_bytes: int = 2**20) -> Window:
    return Window(BatchLimit(limit, torch.device("cpu")), most_bytes=most_bytes)


def image(name: str) -> Image:
    return Image(torch.zeros(3, 8, 8, dtype=torch.uint8), name)


def names(slots: list[Slot]) -> list[str]:
    return [slot.image.source for slot in slots if slot.image]


def test_a_full_batch_leaves_and_the_rest_waits() -> None:
    images = window(2)
    for name, size in [("a", SMALL), ("b", LARGE), ("c", SMALL)]:
        images.add(image(name), size)
    assert [names(slots) for slots in images.due()] == [["a", "c"]]
    assert [names(slots) for slots in images.due(rest=True)] == [["b"]]


def test_a_crowded_window_lets_the_oldest_go() -> None:
    images = window(4, most_bytes=1)
    images.add(image("a"), SMALL)
    assert [names(slots) for slots in images.due()] == [["a"]]


def test_an_outcome_waits_for_those_before_it() -> None:
    images = window(4)
    images.add(image("a"), SMALL)
    error = ValueError("b")
    images.fail(error)
    assert list(images.outcomes()) == []
    [[slot]] = images.due(rest=True)
    slot.outcome = ValueError("a")
    assert list(images.outcomes()) == [slot.outcome, error]
