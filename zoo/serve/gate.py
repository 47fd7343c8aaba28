"""Limits concurrent requests, and knows whether the server is shutting down."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from zoo.serve.refusal import busy


class Gate:
    """Admits up to `most` requests at a time.

    is_draining: whether the server is shutting down: it closes connections and is not ready.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._inside = 0
        self._lock = threading.Lock()
        self.is_draining = False

    @property
    def inside(self) -> int:
        """The number of requests that are admitted and not answered."""
        return self._inside

    @contextmanager
    def admit(self) -> Iterator[None]:
        """Admits one request for the length of the block. Raises: Refusal (503) if the limit is
        reached."""
        with self._lock:
            if self._inside >= self._most:
                raise busy(
                    "The image was not accepted.",
                    f"{self._most} others are waiting for their answers.",
                )
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
