"""Work in background threads that Ctrl-C in the main thread ends soon."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import CancelledError, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from threading import Event
from typing import TypeVar

POLL_SECONDS = 0.2  # between two looks of a waiting main thread at whether Ctrl-C was pressed
Result = TypeVar("Result")


@contextmanager
def background(threads: int, stop: Event | None = None) -> Iterator[Executor]:
    """Yields a thread pool that is waited for, except after a KeyboardInterrupt.

    stop: set by an interrupt; what runs in the pool looks at it from time to time.
    """
    pool = ThreadPoolExecutor(threads)
    interrupted = False
    try:
        yield pool
    except KeyboardInterrupt:
        interrupted = True
        if stop is not None:
            stop.set()
        raise
    finally:
        pool.shutdown(wait=not interrupted, cancel_futures=interrupted)


def check_going(stop: Event | None) -> None:
    """Raises: CancelledError if the work was stopped."""
    if stop is not None and stop.is_set():
        raise CancelledError


def result(future: Future[Result]) -> Result:
    """The result of background work, waited for in a way that Ctrl-C ends.

    The system may deliver the signal to any thread. Python handles it in the main one, which does
    not wake for it while it waits without a limit.
    """
    while not future.done():
        wait([future], timeout=POLL_SECONDS)
    return future.result()
