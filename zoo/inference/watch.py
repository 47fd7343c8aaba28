"""Watching the steps of a predictor: how long each of them takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass
class Watch:
    """Seconds of each step that ended while it was looked at. clock: tells the time in seconds."""

    clock: Callable[[], float]
    seconds: dict[str, float] = field(default_factory=dict)


WATCH: ContextVar[Watch | None] = ContextVar("WATCH", default=None)


@contextmanager
def watched(clock: Callable[[], float]) -> Iterator[dict[str, float]]:
    """The seconds of each step of this thread in the block, by its name."""
    watch = Watch(clock)
    token = WATCH.set(watch)
    try:
        yield watch.seconds
    finally:
        WATCH.reset(token)
