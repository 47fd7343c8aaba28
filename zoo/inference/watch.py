"""Watching the steps of a predictor: how long each of them takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass
class Watch:
    """Seconds spent in each step so far.

    clock: tells the time in seconds.
    """

    clock: Callable[[], float]
    seconds: dict[str, float] = field(default_factory=dict)


WATCH: ContextVar[Watch | None] = ContextVar("WATCH", default=None)


@contextmanager
def watch_steps(clock: Callable[[], float]) -> Iterator[dict[str, float]]:
    """Times the steps of this thread in the block: seconds by the step's name."""
    watch = Watch(clock)
    token = WATCH.set(watch)
    try:
        yield watch.seconds
    finally:
        WATCH.reset(token)
