"""Shard: the batches of images that one worker processes in one call."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

IMAGES_PER_SHARD = 64  # about; a worker that is killed loses so much work at most
SHARDS_PER_WORKER = 4  # at least, if there are enough batches


@dataclass(eq=False)
class Shard:
    """Batches that are run one after the other.

    batches: each the positions of its images in the data set.
    deaths:  the number of workers that ended during this shard.
    """

    batches: list[list[int]] = field(default_factory=list)
    deaths: int = 0

    @property
    def positions(self) -> list[int]:
        """Positions of all images, in the order of the batches."""
        return [position for batch in self.batches for position in batch]

    def parts(self) -> list[Shard]:
        """A shard per batch, to find the images that end a worker."""
        return [Shard([batch], self.deaths) for batch in self.batches]


def shards_of(batches: Iterable[list[int]], todo: Collection[int], *, workers: int) -> list[Shard]:
    """Shards of all batches with an image in `todo`. Batches stay whole, so that the results do not
    depend on which images are already done."""
    remaining = set(todo)
    limit = max(1, min(IMAGES_PER_SHARD, len(remaining) // (SHARDS_PER_WORKER * workers)))
    shards: list[Shard] = []
    room = 0
    for batch in batches:
        if remaining.isdisjoint(batch):
            continue
        if room <= 0:
            shards.append(Shard())
            room = limit
        shards[-1].batches.append(batch)
        room -= len(batch)
    return shards
