"""Deadlines for servers that keep sending without progress: single bytes, endless headers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from zoo import environment
from zoo.weights.retry import TransientError

Result = TypeVar("Result")

SLOWEST = 10_000  # bytes a second, over a whole window
WINDOW = 3.0  # times ZOO_TIMEOUT
TOO_SLOW = "It sends less than 10 kB a second."


class Pace:
    """Whether a body comes fast enough, told of each of its pieces."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._bytes = 0

    def add(self, count: int) -> None:
        """Counts bytes. Raises: TransientError if the last window brought too few."""
        self._bytes += count
        seconds = time.monotonic() - self._began
        if seconds < window():
            return
        if self._bytes < SLOWEST * seconds:
            raise TransientError(TOO_SLOW)
        self._began, self._bytes = time.monotonic(), 0


class Call(threading.Thread, Generic[Result]):
    """A call in a thread of its own, which can be abandoned."""

    def __init__(self, call: Callable[[], Result]) -> None:
        super().__init__(daemon=True)
        self._call = call
        self.result: Result
        self.error: BaseException | None = None
        self.given_up = False

    def run(self) -> None:
        try:
            self.result = self._call()
        except BaseException as error:  # it belongs to whoever waits
            self.error = error


def given_up() -> bool:
    """Whether this thread runs a call that was abandoned."""
    return getattr(threading.current_thread(), "given_up", False)


def window() -> float:
    """Seconds in which something has to get done."""
    return WINDOW * environment.timeout()


def within(
    call: Callable[[], Result],
    *,
    seconds: float,
    done: Callable[[], int] = int,
    case: str = TOO_SLOW,
) -> Result:
    """The result of `call`; the wait ends at the first Ctrl-C.

    seconds: how long it may take, or may go on without a change of `done`, in bytes.

    Raises:
        TransientError: it takes longer; the call is left to itself.
    """
    running = Call(call)
    running.start()
    so_far, since = done(), time.monotonic()
    while running.is_alive():
        running.join(0.05)
        if time.monotonic() - since > seconds:
            if done() == so_far:
                running.given_up = True
                raise TransientError(case)
            so_far, since = done(), time.monotonic()
    if running.error:
        raise running.error
    return running.result
