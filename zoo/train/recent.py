"""Caches the samples of the last images that were read, up to a number of bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from torch.utils.data import get_worker_info

from zoo.train.sample import Sample

MAX_BYTES = 1 << 28  # of all workers together: 280 images of 640 x 480


class Recent:
    """The latest samples by their rows; a copy in another process begins empty.

    Callers must not write into the samples.
    """

    def __init__(self, room: int = MAX_BYTES) -> None:
        self.room = room
        self._samples: OrderedDict[int, Sample] = OrderedDict()
        self._used = 0

    def get(self, row: int, load: Callable[[int], Sample]) -> Sample:
        """The sample of a row, loaded if it is not cached."""
        if row in self._samples:
            self._samples.move_to_end(row)
            return self._samples[row]
        sample = self._samples[row] = load(row)
        self._used += _bytes(sample)
        worker = get_worker_info()
        room = self.room // (worker.num_workers if worker else 1)
        while self._used > room and self._samples:
            self._used -= _bytes(self._samples.popitem(last=False)[1])
        return sample

    def __reduce__(self) -> tuple[type[Recent], tuple[int]]:
        return Recent, (self.room,)

    def __len__(self) -> int:
        return len(self._samples)


def _bytes(sample: Sample) -> int:
    parts = (sample.image, sample.boxes, sample.labels, sample.masks)
    return sum(part.nbytes for part in parts if part is not None)
