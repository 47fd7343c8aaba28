"""How many images of one input size make a batch; fewer once memory ran out."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, TypeAlias

import torch

from zoo.inference.runner import optional_members

if TYPE_CHECKING:
    from zoo.contract.predictor import Predictor

log = logging.getLogger("zoo")

BatchSize: TypeAlias = int | Literal["auto"]
InputSize: TypeAlias = tuple[int, int]  # height and width in pixels

# Approximate input pixels of an "auto" batch. On two cores, YOLOX-Nano (416x416) is a fifth faster
# in batches of 4 to 16 than one by one, and loses that again at 32, when activations leave the
# caches; 2**20 is 6 such images, 2 of 640x640 or 1 of 800x1333. GPUs gain from larger batches: an
# H200 still gains a fifth from 16 to 32 images of 640x640. The value for MPS is a guess.
AUTO_PIXELS = {"cpu": 2**20, "cuda": 2**24, "mps": 2**22}
MAX_AUTO_IMAGES = 32
# Bytes of GPU memory assumed per input pixel, so that a batch fits into the free memory. Of the
# models measured, Faster R-CNN needs most: 353.
PIXEL_BYTES = 1024


class BatchLimit:
    """How many images of one input size make a full batch; fewer, of every size, once memory ran
    out.

    batch_size: the caller's number; "auto" is what the predictor prefers, or else depends on the
        input pixels, the kind of device and its free memory.
    preferred: the predictor's number for an input `(height, width)`; None leaves it to the device.
    """

    def __init__(
        self,
        batch_size: BatchSize,
        device: torch.device,
        *,
        preferred: Callable[[int, int], int | None] | None = None,
    ) -> None:
        self._batch_size = batch_size
        self._device = device
        self._preferred = preferred if batch_size == "auto" else None
        self._pixels = _auto_pixels(device) if batch_size == "auto" else None

    @classmethod
    def of(cls, predictor: Predictor, batch_size: BatchSize) -> BatchLimit:
        """The limit for a predictor, which may prefer a number by an `auto_batch` of its own."""
        preferred = optional_members(predictor).auto_batch
        return cls(batch_size, predictor.device, preferred=preferred)

    def __call__(self, size: InputSize) -> int:
        """The number for the input size `(height, width)`."""
        most = MAX_AUTO_IMAGES if self._batch_size == "auto" else self._batch_size
        count = self._preferred(*size) if self._preferred else None
        if count is None and self._pixels is not None:
            count = self._pixels // (size[0] * size[1])
        return most if count is None else max(1, min(most, count))

    def lower(self, size: InputSize, count: int) -> None:
        """Halves the limit after memory ran out with `count` images of that size; other sizes get
        as many pixels."""
        if self(size) < count:  # the batch was formed before the limit was last lowered
            return
        half = max(1, count // 2)
        self._pixels = half * size[0] * size[1]
        self._preferred = None
        write = log.info if self._batch_size == "auto" else log.warning
        write(
            "The memory of %s does not hold %d images of %d x %d input pixels at once; batches "
            "have %d from here on. To begin there: batch_size=%d (--batch-size %d).",
            self._device, count, size[1], size[0], half, half, half,
        )  # fmt: skip


def _auto_pixels(device: torch.device) -> int:
    pixels = AUTO_PIXELS.get(device.type, AUTO_PIXELS["cpu"])
    return min(pixels, _free_bytes(device) // PIXEL_BYTES) if device.type == "cuda" else pixels


def _free_bytes(device: torch.device) -> int:
    """Memory that no process holds, and what torch has reserved and not allocated."""
    free, _ = torch.cuda.mem_get_info(device)
    return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
