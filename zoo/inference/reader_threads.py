"""Threads that read, which nobody has to wait for: neither who closes them, nor the end of the
process."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Generic, TypeVar

Result = TypeVar("Result")

NAME = "zoo-read"
LOOK_AGAIN_SECONDS = 0.5


class TooSlow(Exception):
    """A task took longer than it may."""


@dataclass(eq=False)
class Task(Generic[Result]):
    """One thing to do on a thread, and since when it is being done."""

    do: Callable[[Task[Result]], Result]
    future: Future[Result] = field(default_factory=Future)
    began: float | None = None

    def run(self) -> None:
        """Does it, unless it was cancelled."""
        if not self.future.set_running_or_notify_cancel():
            return
        self.restart_clock()
        try:
            self.future.set_result(self.do(self))
        except BaseException as error:  # whoever waits for it gets it
            self.future.set_exception(error)

    def restart_clock(self) -> None:
        """Starts its time now; waiting up to here does not count."""
        self.began = monotonic()

    def result(self, *, seconds: float) -> Result:
        """Its result, once it is done.

        Raises: what it raised; TooSlow after `seconds` of work."""
        while True:
            left = LOOK_AGAIN_SECONDS if self.began is None else self.began + seconds - monotonic()
            if left <= 0 and not self.future.done():
                raise TooSlow
            try:
                return self.future.result(timeout=min(max(left, 0.0), LOOK_AGAIN_SECONDS))
            except TimeoutError:
                if self.future.done():  # it is what the task raised
                    return self.future.result()


class Readers:
    """Up to `count` threads, started when there is work; they are daemons, which
    `ThreadPoolExecutor` has not."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._tasks: SimpleQueue[Task[object] | None] = SimpleQueue()
        self._threads = 0

    def submit(self, task: Task[Result]) -> None:
        """Has it done after those before it."""
        self._tasks.put(task)  # type: ignore[arg-type]  # nothing here looks at results
        if self._threads < self._count:
            self._start()

    def give_up_one(self) -> None:
        """Takes another thread in place of one that does not come back."""
        self._start()

    def close(self) -> None:
        """Cancels what has not been begun; each thread ends when it has done what it is at."""
        with suppress(Empty):  # a thread may take the last task between a look and a get
            while True:
                if (task := self._tasks.get_nowait()) is not None:
                    task.future.cancel()
        for _ in range(self._threads):
            self._tasks.put(None)

    def _start(self) -> None:
        self._threads += 1
        threading.Thread(target=_work, args=(self._tasks,), name=NAME, daemon=True).start()


def _work(tasks: SimpleQueue[Task[object] | None]) -> None:
    while (task := tasks.get()) is not None:
        task.run()
        del task  # it holds its image, and the next may be long in coming
