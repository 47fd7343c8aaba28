"""Which pictures go through the network together: those of one input size, from a window of neighbours."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch

from zoo.detections import Detections
from zoo.images import Picture

BatchSize: TypeAlias = int | Literal["auto"]
Size: TypeAlias = tuple[int, int]

# An "auto" batch has about so many input pixels. On two cores, YOLOX-Nano (416x416) is a fifth faster in batches of 4 to 16 than
# one by one, and loses that again at 32, when activations leave the caches; 2**20 is 6 of these, 2 of 640x640, 1 of 800x1333.
# GPUs want more at once; 2**22, three of 800x1333, is cautious with their memory and not measured.
AUTO_PIXELS = {"cpu": 2**20, "cuda": 2**22, "mps": 2**22}
AUTO_MOST = 32

# Pictures of rarer sizes wait for company while at most so many pictures, and bytes of them, wait.
WINDOW = 64
WINDOW_BYTES = 256 * 2**20


def batch_limit(batch_size: BatchSize, size: Size, device: torch.device) -> int:
    """How many pictures of one input size `(height, width)` make a full batch."""
    if batch_size != "auto":
        return batch_size
    pixels = AUTO_PIXELS.get(device.type, AUTO_PIXELS["cpu"])
    return max(1, min(AUTO_MOST, pixels // (size[0] * size[1])))


def window_bytes(batch_size: BatchSize, memory: int) -> int:
    """How many bytes of images may wait for company: a batch of the caller's size may take the memory that images may."""
    return WINDOW_BYTES if batch_size == "auto" else max(WINDOW_BYTES, memory)


@dataclass(eq=False)
class Slot:
    """An image's place in the order: the image until it was looked at, then what came of it."""

    picture: Picture | None
    outcome: Detections | Exception | None = None


class Window:
    """Pictures in flight: batches leave it when they are full, outcomes in the order of the pictures.

    limit:      how many pictures of an input size make a full batch.
    most_bytes: of pictures that wait, whatever makes a full batch.
    """

    def __init__(self, limit: Callable[[Size], int], *, most_bytes: int = WINDOW_BYTES) -> None:
        self._limit = limit
        self._most_bytes = most_bytes
        self.is_cut = False
        self._order: deque[Slot] = deque()
        self._groups: dict[Size, list[Slot]] = {}  # in the order of each group's first picture

    def add(self, picture: Picture, size: Size) -> None:
        """A picture that goes into the network in that input size."""
        slot = Slot(picture)
        self._order.append(slot)
        self._groups.setdefault(size, []).append(slot)

    def fail(self, error: Exception) -> None:
        """An error, in its picture's place."""
        self._order.append(Slot(None, error))

    def cut(self, last: Slot | None = None) -> None:
        """Nothing after that slot, or what there is, is wanted any more."""
        self.is_cut = True
        while last and self._order[-1] is not last:
            self._order.pop()
        kept = {id(slot) for slot in self._order}
        left = {size: [slot for slot in group if id(slot) in kept] for size, group in self._groups.items()}
        self._groups = {size: group for size, group in left.items() if group}

    def due(self, *, rest: bool = False) -> Iterator[list[Slot]]:
        """The batches to run now: full ones, then the oldest as long as the window is crowded; or all the rest."""
        for size in [size for size, group in self._groups.items() if len(group) >= self._limit(size)]:
            yield self._groups.pop(size)
        while self._groups and (rest or self._crowded()):
            yield self._groups.pop(next(iter(self._groups)))

    def outcomes(self) -> Iterator[Detections | Exception]:
        """What is finished and has nothing unfinished before it."""
        while self._order and (outcome := self._order[0].outcome) is not None:
            self._order.popleft()
            yield outcome

    def _crowded(self) -> bool:
        limit = self._limit(next(iter(self._groups)))
        if len(self._order) > max(WINDOW, 2 * limit):
            return True
        waiting = [slot.picture.pixels.nbytes for group in self._groups.values() for slot in group if slot.picture]
        held = sum(waiting)
        return held > self._most_bytes or (len(waiting) > limit and held > WINDOW_BYTES)
