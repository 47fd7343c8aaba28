"""Limits the memory of all requests together: of their bodies, and of their images while they are
decoded and predicted."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from zoo.serve.refusal import busy


class Budget:
    """Bytes that requests reserve and give back.

    limit: for all requests together; a single one may hold more if there are no others, so that no
        image is refused for its size.
    """

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._held = 0
        self._changed = threading.Condition()

    @property
    def held(self) -> int:
        """The number of bytes that are reserved now."""
        return self._held

    @contextmanager
    def reserve(self) -> Iterator[Reservation]:
        """Opens a request's reservation, which is given back when the block ends. A thread that was
        given up and still asks for bytes is refused from then on."""
        reservation = Reservation(self)
        try:
            yield reservation
        finally:
            with self._changed:
                reservation.is_over = True
                self._lend(reservation, -reservation.bytes)

    def take(self, reservation: Reservation, count: int) -> None:
        """Reserves bytes without waiting. Raises: Refusal (503) if others hold too many."""
        with self._changed:
            if reservation.is_over or not self._fits(reservation, count):
                raise busy("The image was not received.", "Other requests use all of the memory.")
            self._lend(reservation, count)

    def wait_for(self, reservation: Reservation, count: int, until: float) -> None:
        """Waits until bytes are free, and reserves them. Raises: Refusal (503) if that takes too
        long."""
        with self._changed:
            self._changed.wait_for(
                lambda: reservation.is_over or self._fits(reservation, count),
                max(0.0, until - monotonic()),
            )
            if reservation.is_over or not self._fits(reservation, count):
                raise busy("The image was not decoded.", "Other requests use all of the memory.")
            self._lend(reservation, count)

    def keep(self, reservation: Reservation, count: int) -> None:
        """Gives back all but `count` bytes."""
        with self._changed:
            if not reservation.is_over:
                self._lend(reservation, count - reservation.bytes)

    def _fits(self, reservation: Reservation, count: int) -> bool:
        return self._held + count <= self._limit or self._held == reservation.bytes

    def _lend(self, reservation: Reservation, count: int) -> None:
        reservation.bytes += count
        self._held += count
        self._changed.notify_all()


class Reservation:
    """The bytes that one request holds."""

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
