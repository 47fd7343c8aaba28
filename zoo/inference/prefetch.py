"""Images read on threads, a little ahead of the network, in order, and within limits of memory and
time."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple, TypeAlias

import numpy as np
import PIL.Image
from torch import Tensor

from zoo.errors import ImageError
from zoo.images import Exif, Image, Limits, Source, read
from zoo.images.decode import Reserve
from zoo.images.image import beyond
from zoo.images.read import name_of
from zoo.inference.memory_budget import MemoryBudget
from zoo.inference.reader_threads import Readers, Task, TooSlow

# Images that wait decoded stop the reading ahead at this size: seven images of 12 megapixels.
AHEAD_BYTES = 256 * 2**20


@dataclass(frozen=True)
class Broken:
    """The source itself raised instead of giving its next image."""

    error: Exception


class Entry(NamedTuple):
    """One source, and what it is called."""

    position: int
    source: Source
    name: str


Read: TypeAlias = Image | ImageError | Broken
Pending: TypeAlias = tuple[Entry, Task[Read]] | Read


def prefetch(
    sources: Iterable[Source],
    *,
    exif: Exif,
    threads: int,
    ahead: int,
    limits: Limits,
    pin: bool = False,
) -> Generator[Read]:
    """Each source's image, or the error in its place; what a source raises comes last. Closing
    cancels what has not been begun.

    Up to `ahead` sources are pulled before their turn. Tensors and arrays are ready, and never wait
    for a thread or for one another; with no threads one image is read when its turn comes, and
    nothing is pulled before. Even that one is read on a thread, so that an interrupt or the limit
    of time ends the waiting for a slow disk, server or decoder.

    pin: put pixels into page-locked memory, from where a GPU fetches them without blocking.
    """
    entries = _entries(sources)
    queue: deque[Pending] = deque()
    readers = Readers(max(threads, 1))
    how = _How(exif, limits, MemoryBudget(limits.memory), pin)
    try:
        while True:
            while not _enough(queue, threads, ahead) and (entry := next(entries, None)):
                queue.append(_begun(entry, how, readers, threads))
            if not queue:
                return
            yield _awaited(queue.popleft(), how, readers)
    finally:
        readers.close()
        how.budget.close()


def _entries(sources: Iterable[Source]) -> Iterator[Entry | Broken]:
    """The sources with their positions and names; what pulling one raises is the last."""
    try:
        for position, source in enumerate(sources):
            yield Entry(position, source, _name(source, position))
    except Exception as error:
        yield Broken(error)


def _name(source: Source, position: int) -> str:
    try:
        return name_of(source, position=position)
    except Exception:  # a path object has code of its own; reading it says so
        return f"image {position}"


@dataclass(frozen=True)
class _How:
    """How each image is read."""

    exif: Exif
    limits: Limits
    budget: MemoryBudget
    pin: bool

    def read(self, entry: Entry, reserve: Reserve | None = None) -> Read:
        """Reads it, in this thread."""
        try:
            image = read(
                entry.source, exif=self.exif, name=entry.name, limits=self.limits, reserve=reserve
            )
        except ImageError as error:
            return error
        if self.pin and image.pixels.is_cpu:
            return replace(image, pixels=image.pixels.pin_memory())
        return image

    def read_in_turn(self, entry: Entry, task: Task[Read]) -> Read:
        """Reads it when there is memory for it; waiting for that does not count as its time."""

        def reserve(count: int) -> None:
            self.budget.take(entry.position, count)
            task.restart_clock()

        found = self.read(entry, reserve)
        self.budget.keep(entry.position, _bytes(found))
        return found


def _begun(entry: Entry | Broken, how: _How, readers: Readers, threads: int) -> Pending:
    """The image if it is there at once, or the task that reads it."""
    if isinstance(entry, Broken):
        return entry
    if isinstance(entry.source, Tensor) or (threads == 0 and _is_at_hand(entry.source)):
        return how.read(entry)
    task = Task(partial(how.read_in_turn, entry))
    readers.submit(task)
    return entry, task


def _awaited(pending: Pending, how: _How, readers: Readers) -> Read:
    """The image when it is there, or the error of one that takes too long."""
    if not isinstance(pending, tuple):
        return pending
    entry, task = pending
    how.budget.wait_for(entry.position)
    try:
        return task.result(seconds=how.limits.seconds)
    except TooSlow:
        readers.give_up_one()
        return beyond(
            "seconds", entry.name, f"Reading it took more than {how.limits.seconds:g} seconds."
        )


def _is_at_hand(source: Source) -> bool:
    """Whether all of it is in memory and decoded already."""
    return isinstance(source, np.ndarray) or (
        isinstance(source, PIL.Image.Image) and not getattr(source, "fp", None)
    )


def _enough(queue: deque[Pending], threads: int, ahead: int) -> bool:
    if not queue:
        return False
    if threads == 0 or not isinstance(queue[0], tuple) or len(queue) >= ahead:
        return True
    return len(queue) >= 2 * threads and sum(map(_bytes, queue)) >= AHEAD_BYTES


def _bytes(pending: Pending) -> int:
    """Bytes that a read image holds; 0 if it is not read yet, or could not be."""
    if isinstance(pending, tuple):
        future = pending[1].future
        if not future.done() or future.exception():
            return 0
        return _bytes(future.result())
    return pending.pixels.nbytes if isinstance(pending, Image) else 0
