"""Memory for images in flight: reading waits where it would take more than the limit, except the
image whose turn it is."""

from __future__ import annotations

import threading


class Closed(Exception):
    """Nobody waits for these images any more."""


class MemoryBudget:
    """Bytes that the images of one stream hold, by their position in it.

    limit: bytes. The image that is waited for is never held up: what all hold together may be its
        own more than that.
    """

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._held: dict[int, int] = {}
        self._turn = 0
        self._closed = False
        self._changed = threading.Condition()

    def take(self, position: int, count: int) -> None:
        """Waits until there is room for `count` bytes. Raises: Closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._may(position, count))
            if self._closed:
                raise Closed
            self._held[position] = count

    def keep(self, position: int, count: int) -> None:
        """So many bytes are still held by what has been read."""
        with self._changed:
            self._held[position] = count
            self._changed.notify_all()

    def wait_for(self, position: int) -> None:
        """It is the turn of that image; what was before it is not held any more."""
        with self._changed:
            self._turn = position
            self._held = {place: count for place, count in self._held.items() if place >= position}
            self._changed.notify_all()

    def close(self) -> None:
        """Ends all waiting."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _may(self, position: int, count: int) -> bool:
        return (
            self._closed
            or position <= self._turn
            or sum(self._held.values()) + count <= self._limit
        )
