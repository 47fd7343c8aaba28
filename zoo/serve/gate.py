"""How many requests are inside, and whether the server ends."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from zoo.serve.refusal import busy


class Gate:
    """Admits up to `most` requests at a time.

    is_draining: the server ends; connections are not kept, and readiness is over.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._inside = 0
        self._lock = threading.Lock()
        self.is_draining = False

    @property
    def inside(self) -> int:
        """The requests that are admitted and not answered."""
        return self._inside

    @contextmanager
    def admitted(self) -> Iterator[None]:
        """Lets one request in. Raises: Refusal (503) where as many as may be are inside."""
        with self._lock:
            if self._inside >= self._most:
                raise busy(
                    "The image was not taken.",
                    f"{self._most} others are waiting for their answers.",
                )
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
