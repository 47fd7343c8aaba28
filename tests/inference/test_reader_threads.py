"""Threads that read: nobody waits for them, and their time is limited."""

import threading
import time

import pytest

from zoo.inference.reader_threads import NAME, Readers, Task, TooSlow


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
    readers.give_up_one()
    assert quick.result(seconds=10) == "done"
    leave.set()
    readers.close()


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
    before = {thread for thread in threading.enumerate() if thread.name == NAME}
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
    [thread] = {one for one in threading.enumerate() if one.name == NAME} - before
    assert thread.daemon
    leave.set()
    assert first.result(seconds=10) == "done"
    thread.join(10)
    assert not thread.is_alive()
