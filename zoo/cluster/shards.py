"""Shard: some batches of images, what one worker looks at before it answers."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

IMAGES = 64  # in a shard, about: what a worker that is killed costs
PER_WORKER = 4  # shards that each worker gets at least, if there are enough batches


@dataclass(eq=False)
class Shard:
    """Batches that are run one after the other.

    batches: positions of images in the data set. deaths: how many workers ended while they looked
        at it.
    """

    batches: list[list[int]] = field(default_factory=list)
    deaths: int = 0

    @property
    def positions(self) -> list[int]:
        """The images, in the order of the batches."""
        return [position for batch in self.batches for position in batch]

    def parts(self) -> list[Shard]:
        """A shard for each batch, so that the images that end a worker are told from the others."""
        return [Shard([batch], self.deaths) for batch in self.batches]


def shards_of(batches: Iterable[list[int]], todo: Collection[int], *, workers: int) -> list[Shard]:
    """Shards of all batches in which an image is still to be looked at. A batch stays whole: the
    same images are in it as if none were done."""
    wanted = set(todo)
    most = max(1, min(IMAGES, len(wanted) // (PER_WORKER * workers)))
    shards: list[Shard] = []
    room = 0
    for batch in batches:
        if wanted.isdisjoint(batch):
            continue
        if room <= 0:
            shards.append(Shard())
            room = most
        shards[-1].batches.append(batch)
        room -= len(batch)
    return shards
