"""BatchLimit: how many images go through a network at once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Literal, TypeAlias

import torch

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


class BatchLimit:
    """How many images of one input size make a full batch; fewer, of every size, once memory ran
    out.

    batch_size: the caller's number; "auto" is what the predictor wants, or else goes by input
        pixels, for the kind of device and the memory that is free on it.
    wanted: by the predictor for an input `(height, width)`; None leaves it to its device.
    """

    def __init__(
        self,
        batch_size: BatchSize,
        device: torch.device,
        *,
        wanted: Callable[[int, int], int | None] | None = None,
    ) -> None:
        self._given = batch_size
        self._device = device
        self._wanted = wanted if batch_size == "auto" else None
        self._pixels = _auto_pixels(device) if batch_size == "auto" else None

    def __call__(self, size: Size) -> int:
        """The number for the input size `(height, width)`."""
        most = AUTO_MOST if self._given == "auto" else self._given
        wanted = self._wanted(*size) if self._wanted else None
        if wanted is not None:
            return max(1, min(most, wanted))
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
        self._wanted = None
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
