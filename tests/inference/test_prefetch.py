"""Images read ahead: in order, within memory and time, by threads that end, errors in their
places."""

import io
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import torch

from zoo.errors import ImageError
from zoo.images import Image, Limits
from zoo.inference import prefetch as module
from zoo.inference.prefetch import (
    THREAD_NAME,
    Broken,
    Closed,
    MemoryBudget,
    Read,
    Readers,
    Task,
    TooSlow,
    prefetch,
)


def fetched(sources: Iterable[Any], **options: Any) -> Iterator[Read]:
    how: dict[str, Any] = {"exif": "apply", "threads": 2, "ahead": 4, "limits": Limits()}
    return prefetch(sources, **(how | options))


def image(width: int) -> PIL.Image.Image:
    return PIL.Image.new("RGB", (width, 4))


def encoded(width: int) -> bytes:
    file = io.BytesIO()
    image(width).save(file, "PNG")
    return file.getvalue()


def widths(found: Iterable[Read]) -> list[int]:
    return [one.size[1] if isinstance(one, Image) else -1 for one in found]


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_every_form_comes_out_in_its_turn(tmp_path: Path, threads: int) -> None:
    file = tmp_path / "a.png"
    image(1).save(file)
    array = np.zeros((4, 3, 3), np.uint8)
    sources = [file, encoded(2), array, torch.zeros(3, 4, 4, dtype=torch.uint8), image(5)]
    assert widths(fetched(sources, threads=threads)) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("threads", [0, 2])
def test_an_error_stands_in_the_place_of_its_image(threads: int) -> None:
    first, second, third = fetched([encoded(1), b"no image", encoded(3)], threads=threads)
    assert isinstance(second, ImageError)
    assert "image 1" in str(second)
    assert widths([first, third]) == [1, 3]


def test_what_the_source_raises_comes_last() -> None:
    def sources() -> Iterator[bytes]:
        yield encoded(1)
        raise RuntimeError("no more")

    first, last = fetched(sources())
    assert widths([first]) == [1]
    assert isinstance(last, Broken)
    assert str(last.error) == "no more"


@pytest.mark.parametrize(("threads", "pulled"), [(0, 1), (2, 4)])
def test_no_more_is_pulled_than_allowed(threads: int, pulled: int) -> None:
    count = 0

    def sources() -> Iterator[bytes]:
        nonlocal count
        for width in range(1, 20):
            count += 1
            yield encoded(width)

    found = fetched(sources(), threads=threads, ahead=4)
    next(found)
    assert count == pulled
    found.close()  # type: ignore[attr-defined]  # it is a generator


def test_large_images_that_wait_stop_the_reading_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_AHEAD_BYTES", 1)
    pulled: list[int] = []

    def sources() -> Iterator[torch.Tensor]:
        for number in range(100):
            pulled.append(number)
            yield torch.zeros(3, 4, 4, dtype=torch.uint8)

    found = fetched(sources(), threads=1, ahead=50)
    next(found)
    assert len(pulled) < 5
    found.close()  # type: ignore[attr-defined]


def test_closing_reads_nothing_more() -> None:
    found = fetched([encoded(width) for width in range(1, 50)], ahead=2)
    next(found)
    found.close()  # type: ignore[attr-defined]
    assert list(found) == []


def test_a_budget_lets_through_what_fits_and_whoever_is_waited_for():
    budget = MemoryBudget(100)
    budget.take(0, 500)  # its turn
    waiting = threading.Thread(target=budget.take, args=(1, 60), daemon=True)
    waiting.start()
    waiting.join(0.05)
    assert waiting.is_alive()
    budget.keep(0, 30)
    waiting.join(10)
    assert not waiting.is_alive()
    later = threading.Thread(target=budget.take, args=(2, 60), daemon=True)
    later.start()
    budget.wait_for(2)
    later.join(10)
    assert not later.is_alive()


def waiting(budget: MemoryBudget, position: int, count: int) -> tuple[threading.Thread, list[str]]:
    """A thread that takes memory, and what came of it."""
    ended: list[str] = []

    def take() -> None:
        try:
            budget.take(position, count)
            ended.append("taken")
        except Closed:
            ended.append("closed")

    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    return thread, ended


def test_what_an_image_no_longer_holds_lets_the_next_one_in() -> None:
    budget = MemoryBudget(10)
    budget.take(0, 8)
    thread, ended = waiting(budget, 1, 5)
    thread.join(0.1)
    assert ended == []
    budget.keep(0, 3)
    thread.join(10)
    assert ended == ["taken"]


def test_what_was_before_the_image_of_the_turn_is_let_go() -> None:
    budget = MemoryBudget(10)
    budget.take(0, 10)
    thread, ended = waiting(budget, 2, 10)
    thread.join(0.1)
    assert ended == []
    budget.wait_for(1)
    thread.join(10)
    assert ended == ["taken"]


def test_closing_ends_all_waiting() -> None:
    budget = MemoryBudget(1)
    budget.take(0, 1)
    threads = [waiting(budget, position, 1) for position in (1, 2)]
    budget.close()
    for thread, ended in threads:
        thread.join(10)
        assert ended == ["closed"]
    with pytest.raises(Closed):
        budget.take(3, 1)


def test_tasks_are_done_in_order_and_give_what_they_return() -> None:
    readers = Readers(1)
    order: list[int] = []
    tasks = [Task[None](lambda _, number=number: order.append(number)) for number in range(5)]
    for task in tasks:
        readers.submit(task)
    for task in tasks:
        assert task.result(seconds=10) is None
    readers.close()
    assert order == list(range(5))


@pytest.mark.parametrize("error", [ValueError("wrong"), TimeoutError("of its own")])
def test_what_a_task_raises_is_raised_where_it_is_waited_for(error: Exception) -> None:
    def fail(_: object) -> None:
        raise error

    task = Task(fail)
    task.run()
    with pytest.raises(type(error)) as raised:
        task.result(seconds=10)
    assert raised.value is error


def test_a_task_that_takes_too_long_is_given_up_and_the_next_one_is_done() -> None:
    readers, leave = Readers(1), threading.Event()
    slow, quick = Task(lambda _: leave.wait(10)), Task(lambda _: "done")
    readers.submit(slow)
    readers.submit(quick)
    with pytest.raises(TooSlow):
        slow.result(seconds=0.05)
    readers.give_up(slow)
    assert quick.result(seconds=10) == "done"
    leave.set()
    readers.close()


def test_threads_of_tasks_that_were_given_up_end_when_they_come_back() -> None:
    before = reading_threads()
    readers, leave = Readers(2), threading.Event()
    for _ in range(10):
        slow = Task(lambda _: leave.wait(10))
        readers.submit(slow)
        with pytest.raises(TooSlow):
            slow.result(seconds=0.01)
        readers.give_up(slow)
    leave.set()
    deadline = time.monotonic() + 10
    while len(reading_threads() - before) > 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(reading_threads() - before) <= 2
    readers.submit(quick := Task(lambda _: "done"))
    assert quick.result(seconds=10) == "done"
    readers.close()


def reading_threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == THREAD_NAME}


def test_time_before_the_work_does_not_count() -> None:
    def wait_then_work(task: Task[str]) -> str:
        time.sleep(0.2)
        task.restart_clock()
        return "done"

    readers, task = Readers(1), Task(wait_then_work)
    readers.submit(task)
    assert task.result(seconds=5) == "done"
    readers.close()


def test_closing_cancels_what_has_not_begun_and_ends_the_threads() -> None:
    before = {thread for thread in threading.enumerate() if thread.name == THREAD_NAME}
    readers, begun, leave = Readers(1), threading.Event(), threading.Event()

    def hold(_: object) -> str:
        begun.set()
        leave.wait(10)
        return "done"

    first, second = Task(hold), Task(lambda _: "never")
    readers.submit(first)
    assert begun.wait(10)
    readers.submit(second)
    readers.close()
    assert second.future.cancelled()
    [thread] = {one for one in threading.enumerate() if one.name == THREAD_NAME} - before
    assert thread.daemon
    leave.set()
    assert first.result(seconds=10) == "done"
    thread.join(10)
    assert not thread.is_alive()
