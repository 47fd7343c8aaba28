"""Frames are read on a thread: bounded, in order, the newest of a live source; closing ends it."""

import threading
import time
from collections.abc import Iterator

import pytest
import torch

from zoo.video.clip import Clip, Decoded, Losses
from zoo.video.reader import MAX_WAITING, THREAD_NAME, FrameQueue, Reader

IMAGE = torch.zeros(3, 8, 8, dtype=torch.uint8)


class Counting:
    """A source of numbered frames that notes how far it was read."""

    def __init__(self, count: int, *, live: bool = False, error: Exception | None = None) -> None:
        self.clip = Clip(source="counting", rate=25.0, live=live)
        self.losses = Losses()
        self.read, self.closed = 0, False
        self._count, self._error = count, error

    def frames(self) -> Iterator[Decoded]:
        for index in range(self._count):
            self.read += 1
            yield Decoded(index, index / 25, IMAGE)
        if self._error:
            raise self._error

    def close(self) -> None:
        self.closed = True


def wait_until(holds) -> None:
    end = time.monotonic() + 10
    while not holds() and time.monotonic() < end:
        time.sleep(0.002)
    assert holds()


def test_all_frames_come_in_order_and_the_source_is_closed() -> None:
    source = Counting(500)
    reader = Reader(source)
    assert [frame.index for frame in reader.frames()] == list(range(500))
    wait_until(lambda: source.closed)
    reader.close()


def test_reading_goes_only_a_little_ahead() -> None:
    source = Counting(500)
    reader = Reader(source)
    frames = reader.frames()
    for _ in range(10):
        next(frames)
    time.sleep(0.05)
    assert source.read <= 10 + MAX_WAITING + 1
    reader.close()


def test_large_frames_wait_by_their_bytes() -> None:
    queue = FrameQueue(100)
    large = Decoded(0, 0.0, torch.empty(3, 4000, 6000, dtype=torch.uint8))
    taken = [queue.put(large)]
    thread = threading.Thread(target=lambda: taken.extend(queue.put(large) for _ in range(2)))
    thread.start()
    time.sleep(0.05)
    assert len(taken) == 1 or thread.is_alive()
    queue.close()
    thread.join(5)
    assert not thread.is_alive()
    assert False in taken


def test_closing_ends_a_thread_that_waits_for_a_place() -> None:
    source = Counting(500)
    reader = Reader(source)
    next(reader.frames())
    reader.close()
    assert source.closed
    assert THREAD_NAME not in {thread.name for thread in threading.enumerate()}


def test_a_live_source_keeps_the_newest_and_counts_the_others() -> None:
    source = Counting(100, live=True)
    reader = Reader(source)
    wait_until(lambda: source.closed)
    assert [frame.index for frame in reader.frames()] == [99]
    assert source.losses.counts["late"] == 99
    reader.close()


def test_an_error_comes_after_the_frames_before_it() -> None:
    reader = Reader(Counting(3, error=OSError("gone")))
    frames = reader.frames()
    assert [next(frames).index for _ in range(3)] == [0, 1, 2]
    with pytest.raises(OSError, match="gone"):
        next(frames)
    reader.close()
