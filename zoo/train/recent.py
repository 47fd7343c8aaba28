"""The samples of the last images that were read, within a number of bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from torch.utils.data import get_worker_info

from zoo.train.sample import Sample

BYTES = 1 << 28  # of all workers together: 280 images of 640 x 480


class Recent:
    """Samples by their rows, the latest ones; a copy in another process begins empty.

    Nobody writes into them.
    """

    def __init__(self, room: int = BYTES) -> None:
        self.room = room
        self._samples: OrderedDict[int, Sample] = OrderedDict()
        self._taken = 0

    def get(self, row: int, load: Callable[[int], Sample]) -> Sample:
        """The sample of a row, loaded if it is not there."""
        if row in self._samples:
            self._samples.move_to_end(row)
            return self._samples[row]
        sample = self._samples[row] = load(row)
        self._taken += _bytes(sample)
        worker = get_worker_info()
        room = self.room // (worker.num_workers if worker else 1)
        while self._taken > room and self._samples:
            self._taken -= _bytes(self._samples.popitem(last=False)[1])
        return sample

    def __reduce__(self) -> tuple[type[Recent], tuple[int]]:
        return Recent, (self.room,)

    def __len__(self) -> int:
        return len(self._samples)


def _bytes(sample: Sample) -> int:
    parts = (sample.image, sample.boxes, sample.labels, sample.masks)
    return sum(part.nbytes for part in parts if part is not None)
