"""Batches: of one input size, full or after a wait; a poisoned image fails alone; what is in line
at the end is answered."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic

import pytest
import torch

from zoo.contract.protocol import Protocol
from zoo.errors import ContractError
from zoo.images import Image
from zoo.serve.batcher import Batcher

PROTOCOL = Protocol(score=0.1)
WAIT = 20.0


def image(gray: int = 200, *, width: int = 40) -> Image:
    return Image(torch.full((3, 30, width), gray, dtype=torch.uint8), f"gray {gray}")


class Hold:
    """Keeps the first batch until it is let go."""

    def __init__(self) -> None:
        self.began, self.free = threading.Event(), threading.Event()

    def __call__(self, images: object) -> None:  # noqa: ARG002 - they are kept, not looked at
        self.began.set()
        assert self.free.wait(WAIT)


def test_what_comes_while_a_batch_runs_is_the_next_batch(flat: Callable) -> None:
    hold = Hold()
    model = flat(on_batch=hold)
    batcher = Batcher(model, max_batch=4, max_wait=0)
    first = batcher.submit(image(), PROTOCOL)
    assert hold.began.wait(WAIT)
    rest = [batcher.submit(image(gray), PROTOCOL) for gray in range(100, 106)]
    assert batcher.waiting == 6
    assert batcher.busy_seconds > 0
    hold.free.set()
    outcomes = [future.result(WAIT) for future in (first, *rest)]
    assert model.batches == [1, 4, 2]
    assert [outcome.batch_size for outcome in outcomes] == [1, 4, 4, 4, 4, 2, 2]
    scores = [round(outcome.detections.scores.item() * 255) for outcome in outcomes]
    assert scores == [200, *range(100, 106)]
    assert batcher.close(seconds=WAIT)
    assert not batcher.is_alive


def test_sizes_and_protocols_are_not_mixed(flat: Callable) -> None:
    hold = Hold()
    model = flat(on_batch=hold)
    batcher = Batcher(model, max_batch=8, max_wait=0)
    batcher.submit(image(), PROTOCOL)
    assert hold.began.wait(WAIT)
    wide, tall = (image(width=width) for width in (40, 20))
    asked = [(wide, PROTOCOL), (tall, PROTOCOL), (wide, Protocol(score=0.9)), (tall, PROTOCOL)]
    futures = [batcher.submit(*one) for one in asked]
    hold.free.set()
    assert [len(future.result(WAIT).detections) for future in futures] == [1, 1, 0, 1]
    assert model.batches == [1, 1, 2, 1]
    batcher.close(seconds=WAIT)


def test_an_image_waits_for_announced_ones_and_no_longer_than_it_may(flat: Callable) -> None:
    model = flat()
    batcher = Batcher(model, max_batch=8, max_wait=0.3)
    began = monotonic()
    batcher.submit(image(), PROTOCOL).result(WAIT)
    assert monotonic() - began < 0.25  # none is announced
    with batcher.announce():
        first = batcher.submit(image(), PROTOCOL)
        second = batcher.submit(image(), PROTOCOL)
    assert [first.result(WAIT).batch_size, second.result(WAIT).batch_size] == [2, 2]
    with batcher.announce():
        outcome = batcher.submit(image(), PROTOCOL).result(WAIT)
    assert 0.25 < outcome.wait_seconds < WAIT
    batcher.close(seconds=WAIT)


@pytest.mark.parametrize("poisoned", [{3}, {0, 7}, set(range(8))])
def test_a_poisoned_image_fails_alone(poisoned: set[int], flat: Callable) -> None:
    hold = Hold()

    def poison(images: list[torch.Tensor]) -> None:
        hold(images)
        if any(int(one[0, 0, 0]) - 100 in poisoned for one in images):
            raise RuntimeError("poison")

    batcher = Batcher(flat(on_batch=poison), max_batch=8, max_wait=0)
    batcher.submit(image(99), PROTOCOL)
    assert hold.began.wait(WAIT)
    futures = [batcher.submit(image(100 + place), PROTOCOL) for place in range(8)]
    hold.free.set()
    for place, future in enumerate(futures):
        if place in poisoned:
            with pytest.raises(ContractError, match="poison"):
                future.result(WAIT)
        else:
            assert round(future.result(WAIT).detections.scores.item() * 255) == 100 + place
    batcher.close(seconds=WAIT)


def test_memory_that_runs_out_is_the_large_image_s(flat: Callable) -> None:
    def starve(images: list[torch.Tensor]) -> None:
        if len(images) > 1 or int(images[0][0, 0, 0]) == 7:
            raise MemoryError

    batcher = Batcher(flat(on_batch=starve), max_batch=8, max_wait=0.2)
    with batcher.announce():
        futures = [batcher.submit(image(gray), PROTOCOL) for gray in (7, 200, 210)]
    assert "not enough memory" in str(futures[0].exception(WAIT))
    assert [len(future.result(WAIT).detections) for future in futures[1:]] == [1, 1]
    batcher.close(seconds=WAIT)


@pytest.mark.parametrize(
    ("wanted", "batches"), [(2, [1, 2, 2, 1]), (None, [1, 4, 1]), (9, [1, 4, 1])]
)
def test_a_batch_is_no_larger_than_detect_would_make_it(
    wanted: int | None, batches: list[int], flat: Callable
) -> None:
    hold = Hold()
    model = flat(on_batch=hold)
    model.auto_batch = lambda height, width: wanted
    batcher = Batcher(model, max_batch=4, max_wait=0)
    batcher.submit(image(), PROTOCOL)
    assert hold.began.wait(WAIT)
    futures = [batcher.submit(image(), PROTOCOL) for _ in range(5)]
    hold.free.set()
    for future in futures:
        future.result(WAIT)
    assert model.batches == batches
    batcher.close(seconds=WAIT)


def test_batches_stay_small_once_memory_ran_out(flat: Callable) -> None:
    hold = Hold()

    def starve(images: list[torch.Tensor]) -> None:
        hold(images)
        if len(images) > 3:
            raise MemoryError

    model = flat(on_batch=starve)
    batcher = Batcher(model, max_batch=8, max_wait=0)
    for _ in range(2):
        hold.began.clear(), hold.free.clear()
        batcher.submit(image(), PROTOCOL)
        assert hold.began.wait(WAIT)
        futures = [batcher.submit(image(), PROTOCOL) for _ in range(6)]
        hold.free.set()
        assert all(len(future.result(WAIT).detections) == 1 for future in futures)
    assert model.batches == [1, 6, 3, 3, 1, 3, 3]
    batcher.close(seconds=WAIT)


def test_a_predictor_that_can_t_say_its_batch_fails_its_requests_alone(flat: Callable) -> None:
    model = flat()
    batcher = Batcher(model, max_batch=8, max_wait=0)
    model.auto_batch = lambda height, width: 1 // 0
    broken = Batcher(model, max_batch=8, max_wait=0)
    with pytest.raises(ZeroDivisionError):
        broken.submit(image(), PROTOCOL)
    assert broken.is_alive
    assert len(batcher.submit(image(), PROTOCOL).result(WAIT).detections) == 1
    for one in (batcher, broken):
        assert one.close(seconds=WAIT)


def test_two_threads_run_two_batches_at_a_time_and_end_together(flat: Callable) -> None:
    both, free = threading.Barrier(3), threading.Event()

    def hold(images: object) -> None:
        both.wait(WAIT)
        assert free.wait(WAIT)

    model = flat(on_batch=hold)
    batcher = Batcher(model, max_batch=1, max_wait=0, threads=2)
    futures = [batcher.submit(image(gray), PROTOCOL) for gray in (100, 101)]
    both.wait(WAIT)
    assert batcher.waiting == 0
    assert batcher.busy_seconds > 0
    assert not batcher.close(seconds=0.01)
    assert batcher.is_alive
    free.set()
    scores = [future.result(WAIT).detections.scores.item() for future in futures]
    assert [round(score * 255) for score in scores] == [100, 101]
    assert batcher.close(seconds=WAIT)
    assert not batcher.is_alive
    assert batcher.busy_seconds == 0


def test_who_left_is_not_predicted_and_the_rest_is_before_the_end(flat: Callable) -> None:
    hold = Hold()
    model = flat(on_batch=hold)
    batcher = Batcher(model, max_batch=2, max_wait=0)
    batcher.submit(image(), PROTOCOL)
    assert hold.began.wait(WAIT)
    left, *stayed = [batcher.submit(image(), PROTOCOL) for _ in range(4)]
    assert left.cancel()
    assert not batcher.close(seconds=0.01)
    with pytest.raises(RuntimeError, match="closed"):
        batcher.submit(image(), PROTOCOL)
    hold.free.set()
    assert all(len(future.result(WAIT).detections) == 1 for future in stayed)
    assert model.batches == [1, 2, 1]
    assert batcher.close(seconds=WAIT)
