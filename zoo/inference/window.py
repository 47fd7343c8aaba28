"""The images in flight: grouped into batches of one input size, answered in their order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from zoo.detections import Detections
from zoo.images import Image
from zoo.inference.batch_limit import BatchLimit, InputSize

# Images of rarer sizes wait for others of their size while at most this many images and bytes wait.
WINDOW_IMAGES = 64
WINDOW_BYTES = 256 * 2**20


@dataclass(eq=False)
class Slot:
    """An image's place in the order: holds the image until it has run, then its outcome.

    size: height and width of the network's input for it.
    """

    image: Image | None
    outcome: Detections | Exception | None = None
    size: InputSize = (0, 0)


class Window:
    """Images in flight: batches leave it once they are full, outcomes in the order of the images.

    limit:      how many images of an input size make a full batch.
    most_bytes: of waiting images; above it, batches leave before they are full.
    """

    def __init__(self, limit: BatchLimit, *, most_bytes: int = WINDOW_BYTES) -> None:
        self._limit = limit
        self._most_bytes = most_bytes
        self.is_cut = False
        self._order: deque[Slot] = deque()
        self._groups: dict[InputSize, list[Slot]] = {}  # in the order of each group's first image

    def add(self, image: Image, size: InputSize) -> None:
        """Adds an image with its input size."""
        slot = Slot(image, size=size)
        self._order.append(slot)
        self._groups.setdefault(size, []).append(slot)

    def fail(self, error: Exception) -> None:
        """Adds an error in its image's place."""
        self._order.append(Slot(None, error))

    def cut(self, last: Slot | None = None) -> None:
        """Drops everything after that slot; without one, ends what can be added."""
        self.is_cut = True
        while last and self._order[-1] is not last:
            self._order.pop()
        waiting = {id(slot) for slot in self._order}
        groups = {
            size: [slot for slot in group if id(slot) in waiting]
            for size, group in self._groups.items()
        }
        self._groups = {size: group for size, group in groups.items() if group}

    def ran_out(self, slots: list[Slot]) -> None:
        """Lowers the limit after memory ran out with these in one batch."""
        self._limit.lower(slots[0].size, len(slots))

    def max_batch(self, slots: list[Slot]) -> int:
        """How many images of their input size may be in one batch."""
        return self._limit(slots[0].size)

    def due(self, *, rest: bool = False) -> Iterator[list[Slot]]:
        """The batches to run now: full ones, then the oldest while the window is crowded.

        rest: all that is left.
        """
        for size in [
            size for size, group in self._groups.items() if len(group) >= self._limit(size)
        ]:
            yield self._groups.pop(size)
        while self._groups and (rest or self._is_crowded()):
            yield self._groups.pop(next(iter(self._groups)))

    def outcomes(self) -> Iterator[Detections | Exception]:
        """The finished outcomes that have no unfinished one before them."""
        while self._order and (outcome := self._order[0].outcome) is not None:
            self._order.popleft()
            yield outcome

    def _is_crowded(self) -> bool:
        limit = self._limit(next(iter(self._groups)))
        if len(self._order) > max(WINDOW_IMAGES, 2 * limit):
            return True
        sizes = [
            slot.image.pixels.nbytes
            for group in self._groups.values()
            for slot in group
            if slot.image
        ]
        total = sum(sizes)
        return total > self._most_bytes or (len(sizes) > limit and total > WINDOW_BYTES)
