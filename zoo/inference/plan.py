"""Plans the batches that a stream will form, so that other processes can run the same ones: a box's
last bits depend on the other images in its batch."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence

import torch

from zoo.images import Image
from zoo.inference.batch_limit import BatchLimit, InputSize
from zoo.inference.window import WINDOW_BYTES, Slot, Window

_DONE = LookupError("planned")


def plan_batches(
    sizes: Iterable[InputSize],
    input_size: Callable[[int, int], InputSize],
    limit: BatchLimit,
    *,
    most_bytes: int = WINDOW_BYTES,
) -> Iterator[list[int]]:
    """The batches that a stream of images forms, as positions in `sizes`, in the order they run.

    sizes:      (height, width) of the images as read.
    input_size: see `Predictor.input_size`.
    limit, most_bytes: see `Window`.
    """
    window = Window(limit, most_bytes=most_bytes)
    for position, (height, width) in enumerate(sizes):
        pixels = torch.empty((3, height, width), dtype=torch.uint8, device="meta")
        window.add(Image(pixels, str(position)), input_size(height, width))
        for slots in window.due():
            yield _run(slots)
        for _ in window.outcomes():
            pass
    for slots in window.due(rest=True):
        yield _run(slots)


def _run(slots: list[Slot]) -> list[int]:
    """The positions of a batch, whose slots are marked as done."""
    positions = [int(slot.image.source) for slot in slots if slot.image]
    for slot in slots:
        slot.image, slot.outcome = None, _DONE
    return positions


class PlannedWindow(Window):
    """A window whose batches were planned.

    counts: the number of images of each batch, in order. Images of one batch whose input sizes
        differ after all run separately.
    """

    def __init__(self, counts: Sequence[int], limit: BatchLimit) -> None:
        super().__init__(limit)
        self._counts = deque(counts)

    def due(self, *, rest: bool = False) -> Iterator[list[Slot]]:
        """The next batch if it is complete.

        rest: it, complete or not.
        """
        waiting = sum(map(len, self._groups.values()))
        if waiting and (rest or waiting >= self._counts[0]):
            self._counts.popleft()
            groups, self._groups = list(self._groups.values()), {}
            yield from groups
