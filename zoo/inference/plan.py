"""Plans the batches that a stream will form, so that other processes can run them one by one: the
bits of a box depend on the images that are in one batch with its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence

import torch

from zoo.images import Image
from zoo.inference.batching import WINDOW_BYTES, BatchLimit, Size, Slot, Window

_DONE = LookupError("planned")


def planned(
    sizes: Iterable[Size],
    input_size: Callable[[int, int], Size],
    limit: BatchLimit,
    *,
    most_bytes: int = WINDOW_BYTES,
) -> Iterator[list[int]]:
    """The batches that a stream of images makes, as positions in `sizes`, in the order they are
    run.

    sizes: (height, width) of the images as they are read. input_size: see `Predictor.input_size`.
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
    """The positions of a batch, which is done with then."""
    positions = [int(slot.image.source) for slot in slots if slot.image]
    for slot in slots:
        slot.image, slot.outcome = None, _DONE
    return positions


class PlannedWindow(Window):
    """A window whose batches are known: each a number of images, in the order they come.

    counts: of the images of each batch. Images of one batch that differ in input size after all are
        run apart.
    """

    def __init__(self, counts: Sequence[int], limit: BatchLimit) -> None:
        super().__init__(limit)
        self._counts = deque(counts)

    def due(self, *, rest: bool = False) -> Iterator[list[Slot]]:
        """The batch that is complete, if one is; or all the rest."""
        waiting = sum(map(len, self._groups.values()))
        if waiting and (rest or waiting >= self._counts[0]):
            self._counts.popleft()
            groups, self._groups = list(self._groups.values()), {}
            yield from groups
