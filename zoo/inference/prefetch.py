"""Images read on threads, a little ahead of the network, in order, and within limits of memory and
time: the stream, its threads (`Readers`), and the memory they may take (`MemoryBudget`)."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Generic, NamedTuple, TypeAlias, TypeVar

import numpy as np
import PIL.Image
from torch import Tensor

from zoo.errors import ImageError
from zoo.images import Exif, Image, Limits, Source, read
from zoo.images.decode import Reserve
from zoo.images.read import name_of
from zoo.images.unreadable import beyond

# Images that wait decoded stop the reading ahead at this size: seven images of 12 megapixels.
AHEAD_BYTES = 256 * 2**20

NAME = "zoo-read"  # of each thread
LOOK_AGAIN_SECONDS = 0.5

Result = TypeVar("Result")


class TooSlow(Exception):
    """A task took longer than it may."""


@dataclass(eq=False)
class Task(Generic[Result]):
    """One thing to do on a thread, since when it is being done, and whether nobody waits for it any
    more."""

    do: Callable[[Task[Result]], Result]
    future: Future[Result] = field(default_factory=Future)
    began: float | None = None
    given_up: bool = False

    def run(self) -> None:
        """Does it, unless it was cancelled."""
        if not self.future.set_running_or_notify_cancel():
            return
        self.restart_clock()
        try:
            self.future.set_result(self.do(self))
        except BaseException as error:  # whoever waits for it gets it
            self.future.set_exception(error)

    def restart_clock(self) -> None:
        """Starts its time now; waiting up to here does not count."""
        self.began = monotonic()

    def result(self, *, seconds: float) -> Result:
        """Its result, once it is done.

        Raises: what it raised; TooSlow after `seconds` of work."""
        while True:
            left = LOOK_AGAIN_SECONDS if self.began is None else self.began + seconds - monotonic()
            if left <= 0 and not self.future.done():
                raise TooSlow
            try:
                return self.future.result(timeout=min(max(left, 0.0), LOOK_AGAIN_SECONDS))
            except TimeoutError:
                if self.future.done():  # it is what the task raised
                    return self.future.result()


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
    reader = _ImageReader(exif, limits, MemoryBudget(limits.memory), pin)
    try:
        while True:
            while not _enough(queue, threads, ahead) and (entry := next(entries, None)):
                queue.append(_begun(entry, reader, readers, threads))
            if not queue:
                return
            yield _awaited(queue.popleft(), reader, readers)
    finally:
        readers.close()
        reader.budget.close()


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
class _ImageReader:
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

        image = self.read(entry, reserve)
        self.budget.keep(entry.position, _bytes(image))
        return image


def _begun(entry: Entry | Broken, reader: _ImageReader, readers: Readers, threads: int) -> Pending:
    """The image if it is there at once, or the task that reads it."""
    if isinstance(entry, Broken):
        return entry
    if isinstance(entry.source, Tensor) or (threads == 0 and _is_at_hand(entry.source)):
        return reader.read(entry)
    task = Task(partial(reader.read_in_turn, entry))
    readers.submit(task)
    return entry, task


def _awaited(pending: Pending, reader: _ImageReader, readers: Readers) -> Read:
    """The image when it is there, or the error of one that takes too long."""
    if not isinstance(pending, tuple):
        return pending
    entry, task = pending
    reader.budget.wait_for(entry.position)
    try:
        return task.result(seconds=reader.limits.seconds)
    except TooSlow:
        readers.give_up(task)
        return beyond(
            "seconds", entry.name, f"Reading it took more than {reader.limits.seconds:g} seconds."
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


class Closed(Exception):
    """Nobody waits for these images any more."""


class MemoryBudget:
    """Bytes that the images of one stream hold, by their position in it.

    limit: bytes. The image that is waited for is never held up: what all hold together may be its
        own more than that.
    """

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._held: dict[int, int] = {}
        self._turn = 0
        self._closed = False
        self._changed = threading.Condition()

    def take(self, position: int, count: int) -> None:
        """Waits until there is room for `count` bytes. Raises: Closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._may(position, count))
            if self._closed:
                raise Closed
            self._held[position] = count

    def keep(self, position: int, count: int) -> None:
        """So many bytes are still held by what has been read."""
        with self._changed:
            self._held[position] = count
            self._changed.notify_all()

    def wait_for(self, position: int) -> None:
        """It is the turn of that image; what was before it is not held any more."""
        with self._changed:
            self._turn = position
            self._held = {place: count for place, count in self._held.items() if place >= position}
            self._changed.notify_all()

    def close(self) -> None:
        """Ends all waiting."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _may(self, position: int, count: int) -> bool:
        return (
            self._closed
            or position <= self._turn
            or sum(self._held.values()) + count <= self._limit
        )


class Readers:
    """Up to `count` threads, started when there is work; they are daemons, which
    `ThreadPoolExecutor` has not."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._tasks: SimpleQueue[Task[object] | None] = SimpleQueue()
        self._threads = 0
        self._changing = threading.Lock()

    def submit(self, task: Task[Result]) -> None:
        """Has it done after those before it."""
        self._tasks.put(task)  # type: ignore[arg-type]  # nothing here looks at results
        with self._changing:
            if self._threads < self._count:
                self._start()

    def give_up(self, task: Task[Result]) -> None:
        """Takes another thread in place of the one that is at that task, which ends when it comes
        back from it."""
        with self._changing:
            if not task.future.done():
                task.given_up = True
                self._start()

    def close(self) -> None:
        """Cancels what has not been begun; each thread ends when it has done what it is at."""
        with suppress(Empty):  # a thread may take the last task between a look and a get
            while True:
                if (task := self._tasks.get_nowait()) is not None:
                    task.future.cancel()
        for _ in range(self._threads):
            self._tasks.put(None)

    def _start(self) -> None:
        self._threads += 1
        threading.Thread(target=self._work, name=NAME, daemon=True).start()

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            task.run()
            with self._changing:
                if task.given_up:
                    self._threads -= 1
                    return
            del task  # it holds its image, and the next may be long in coming
