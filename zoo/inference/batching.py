"""How a batch is formed: of images of one input size from a window of neighbours, and of fewer once
memory ran out."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch

from zoo.detections import Detections
from zoo.images import Image

log = logging.getLogger("zoo")

BatchSize: TypeAlias = int | Literal["auto"]
Size: TypeAlias = tuple[int, int]

# Input pixels of an "auto" batch, about. On two cores, YOLOX-Nano (416x416) is a fifth
# faster in batches of 4 to 16 than one by one, and loses that again at 32, when activations leave
# the caches; 2**20 is 6 of these, 2 of 640x640, 1 of 800x1333. A GPU is faster the more it gets: an
# H200 still gains a fifth from 16 to 32 images of 640x640 (docs/reference/benchmarks.md); 2**24
# is 41 of these, 15 of 800x1333. Other accelerators are taken to be smaller, and are not measured.
AUTO_PIXELS = {"cpu": 2**20, "cuda": 2**24, "mps": 2**22}
AUTO_MOST = 32
# Bytes of a GPU's memory that an input pixel is taken to need, so that a batch fits into what is
# free; of the models measured, Faster R-CNN needs most, 353.
PIXEL_BYTES = 1024

# Images of rarer sizes wait for company while at most this many images and bytes wait.
WINDOW = 64
WINDOW_BYTES = 256 * 2**20

# Out of memory, in the words of torch's allocators and of others.
_SIGNS = ("not enough memory", "can't allocate memory", "out of memory", "cannot allocate memory")


class BatchLimit:
    """How many images of one input size make a full batch; fewer, of every size, once memory ran
    out.

    batch_size: the caller's number; "auto" goes by input pixels, for the kind of device and the
        memory that is free on it.
    """

    def __init__(self, batch_size: BatchSize, device: torch.device) -> None:
        self._given = batch_size
        self._device = device
        self._pixels = _auto_pixels(device) if batch_size == "auto" else None

    def __call__(self, size: Size) -> int:
        """The number for the input size `(height, width)`."""
        most = AUTO_MOST if self._given == "auto" else self._given
        return (
            most if self._pixels is None else max(1, min(most, self._pixels // (size[0] * size[1])))
        )

    def lower(self, size: Size, count: int) -> None:
        """Memory ran out with `count` images of that size: from here on half as many, and as many
        pixels of other sizes."""
        if self(size) < count:  # a part of a batch that was made before this was known
            return
        half = max(1, count // 2)
        self._pixels = half * size[0] * size[1]
        write = log.info if self._given == "auto" else log.warning
        write(
            "The memory of %s does not hold %d images of %d x %d input pixels at once; batches "
            "have %d from here on. "
            "To begin there: batch_size=%d (--batch-size %d).",
            self._device, count, size[1], size[0], half, half, half,
        )  # fmt: skip


def _auto_pixels(device: torch.device) -> int:
    pixels = AUTO_PIXELS.get(device.type, AUTO_PIXELS["cpu"])
    return min(pixels, _free_bytes(device) // PIXEL_BYTES) if device.type == "cuda" else pixels


def _free_bytes(device: torch.device) -> int:
    """Memory that nobody holds, and what torch holds and nothing uses."""
    free, _ = torch.cuda.mem_get_info(device)
    return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)


def window_bytes(batch_size: BatchSize, memory: int) -> int:
    """How many bytes of images may wait for company: a batch of the caller's size may take the
    memory that images may."""
    return WINDOW_BYTES if batch_size == "auto" else max(WINDOW_BYTES, memory)


@dataclass(eq=False)
class Slot:
    """An image's place in the order: the image until it was looked at, then what came of it. size:
    in the network's input."""

    image: Image | None
    outcome: Detections | Exception | None = None
    size: Size = (0, 0)


class Window:
    """Images in flight: batches leave it when they are full, outcomes in the order of the
    images.

    limit:      how many images of an input size make a full batch.
    most_bytes: of images that wait, whatever makes a full batch.
    """

    def __init__(self, limit: BatchLimit, *, most_bytes: int = WINDOW_BYTES) -> None:
        self._limit = limit
        self._most_bytes = most_bytes
        self.is_cut = False
        self._order: deque[Slot] = deque()
        self._groups: dict[Size, list[Slot]] = {}  # in the order of each group's first image

    def add(self, image: Image, size: Size) -> None:
        """An image that goes into the network in that input size."""
        slot = Slot(image, size=size)
        self._order.append(slot)
        self._groups.setdefault(size, []).append(slot)

    def fail(self, error: Exception) -> None:
        """An error, in its image's place."""
        self._order.append(Slot(None, error))

    def cut(self, last: Slot | None = None) -> None:
        """Nothing after that slot, or what there is, is wanted any more."""
        self.is_cut = True
        while last and self._order[-1] is not last:
            self._order.pop()
        kept = {id(slot) for slot in self._order}
        left = {
            size: [slot for slot in group if id(slot) in kept]
            for size, group in self._groups.items()
        }
        self._groups = {size: group for size, group in left.items() if group}

    def ran_out(self, slots: list[Slot]) -> None:
        """Memory ran out with these in one batch."""
        self._limit.lower(slots[0].size, len(slots))

    def most(self, slots: list[Slot]) -> int:
        """How many of their input size may be in one batch."""
        return self._limit(slots[0].size)

    def due(self, *, rest: bool = False) -> Iterator[list[Slot]]:
        """The batches to run now: full ones, then the oldest as long as the window is crowded; or
        all the rest."""
        for size in [
            size for size, group in self._groups.items() if len(group) >= self._limit(size)
        ]:
            yield self._groups.pop(size)
        while self._groups and (rest or self._crowded()):
            yield self._groups.pop(next(iter(self._groups)))

    def outcomes(self) -> Iterator[Detections | Exception]:
        """The finished outcomes that have no unfinished one before them."""
        while self._order and (outcome := self._order[0].outcome) is not None:
            self._order.popleft()
            yield outcome

    def _crowded(self) -> bool:
        limit = self._limit(next(iter(self._groups)))
        if len(self._order) > max(WINDOW, 2 * limit):
            return True
        waiting = [
            slot.image.pixels.nbytes
            for group in self._groups.values()
            for slot in group
            if slot.image
        ]
        held = sum(waiting)
        return held > self._most_bytes or (len(waiting) > limit and held > WINDOW_BYTES)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, of the machine or of an accelerator: nobody's code is at fault.

    torch raises a plain RuntimeError where its CPU allocator gets none.
    """
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in _SIGNS)
