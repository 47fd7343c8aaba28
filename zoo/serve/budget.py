"""Memory that the requests of a server may take together: their bodies, and their images while they
are decoded and predicted."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from zoo.serve.refusal import busy


class Budget:
    """Bytes that are lent until they are given back.

    limit: what all may hold together; one alone may hold more, so that none is refused for its size
        by this.
    """

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._held = 0
        self._changed = threading.Condition()

    @property
    def held(self) -> int:
        """The bytes that are lent now."""
        return self._held

    @contextmanager
    def share(self) -> Iterator[Share]:
        """The bytes of one request, which are given back when the block ends. What a thread that
        was given up still asks for is refused then."""
        share = Share(self)
        try:
            yield share
        finally:
            with self._changed:
                share.is_over = True
                self._lend(share, -share.bytes)

    def take(self, share: Share, count: int) -> None:
        """Lends bytes at once. Raises: Refusal (503) where others hold too many."""
        with self._changed:
            if share.is_over or not self._fits(share, count):
                raise busy("The image was not received.", "Others take the memory that they may.")
            self._lend(share, count)

    def wait_for(self, share: Share, count: int, until: float) -> None:
        """Lends bytes as soon as they are free. Raises: Refusal (503) where they are not in
        time."""
        with self._changed:
            self._changed.wait_for(
                lambda: share.is_over or self._fits(share, count), max(0.0, until - monotonic())
            )
            if share.is_over or not self._fits(share, count):
                raise busy("The image was not decoded.", "Others take the memory that they may.")
            self._lend(share, count)

    def keep(self, share: Share, count: int) -> None:
        """Takes back all but `count` bytes."""
        with self._changed:
            if not share.is_over:
                self._lend(share, count - share.bytes)

    def _fits(self, share: Share, count: int) -> bool:
        return self._held + count <= self._limit or self._held == share.bytes

    def _lend(self, share: Share, count: int) -> None:
        share.bytes += count
        self._held += count
        self._changed.notify_all()


class Share:
    """The bytes of one request."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self.bytes = 0
        self.is_over = False

    def take(self, count: int) -> None:
        """As `Budget.take`."""
        self._budget.take(self, count)

    def wait_for(self, count: int, *, until: float) -> None:
        """As `Budget.wait_for`."""
        self._budget.wait_for(self, count, until)

    def keep(self, count: int) -> None:
        """As `Budget.keep`."""
        self._budget.keep(self, count)
