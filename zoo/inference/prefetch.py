"""Reads images on threads, a little ahead of the network, in order, within limits of memory and
time: the stream, its threads (`Readers`) and the memory they may use (`MemoryBudget`)."""

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

# Decoded images of this size in total stop the reading ahead: seven of 12 megapixels.
MAX_AHEAD_BYTES = 256 * 2**20

THREAD_NAME = "zoo-read"
POLL_SECONDS = 0.5  # between two checks for an interrupt

Result = TypeVar("Result")


class TooSlow(Exception):
    """A task took longer than it may."""


@dataclass(eq=False)
class Task(Generic[Result]):
    """A call to make on a thread.

    began:    when it started, by `monotonic`; None before.
    given_up: whether its result is not awaited any more.
    """

    do: Callable[[Task[Result]], Result]
    future: Future[Result] = field(default_factory=Future)
    began: float | None = None
    given_up: bool = False

    def run(self) -> None:
        """Makes the call, unless it was cancelled."""
        if not self.future.set_running_or_notify_cancel():
            return
        self.restart_clock()
        try:
            self.future.set_result(self.do(self))
        except BaseException as error:  # raised where the result is awaited
            self.future.set_exception(error)

    def restart_clock(self) -> None:
        """Starts its time now, so that waiting before does not count."""
        self.began = monotonic()

    def result(self, *, seconds: float) -> Result:
        """Its result, once it is done.

        Raises: what it raised; TooSlow after `seconds` of work."""
        while True:
            remaining = POLL_SECONDS if self.began is None else self.began + seconds - monotonic()
            if remaining <= 0 and not self.future.done():
                raise TooSlow
            try:
                return self.future.result(timeout=min(max(remaining, 0.0), POLL_SECONDS))
            except TimeoutError:
                if self.future.done():  # the task itself raised it
                    return self.future.result()


@dataclass(frozen=True)
class Broken:
    """The source itself raised instead of giving its next image."""

    error: Exception


class Entry(NamedTuple):
    """A source with its position and its name in messages."""

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
    """Each source's image, or the error in its place; an error of `sources` itself comes last.
    Closing cancels what has not been started.

    Up to `ahead` sources are pulled before their turn. Tensors and arrays never wait for a thread
    or one another. With `threads=0` each image is read when its turn comes, and no source is pulled
    before; it is still read on a thread, so that an interrupt or the time limit ends the wait for a
    slow disk, server or decoder.

    pin: put pixels into page-locked memory, from where a GPU copies them without blocking.
    """
    entries = _entries(sources)
    queue: deque[Pending] = deque()
    readers = Readers(max(threads, 1))
    reader = _ImageReader(exif, limits, MemoryBudget(limits.memory), pin)
    try:
        while True:
            while not _is_full(queue, threads, ahead) and (entry := next(entries, None)):
                queue.append(_start_reading(entry, reader, readers, threads))
            if not queue:
                return
            yield _await_image(queue.popleft(), reader, readers)
    finally:
        readers.close()
        reader.budget.close()


def _entries(sources: Iterable[Source]) -> Iterator[Entry | Broken]:
    """The sources with positions and names; an error of pulling one comes last."""
    try:
        for position, source in enumerate(sources):
            yield Entry(position, source, _name(source, position))
    except Exception as error:
        yield Broken(error)


def _name(source: Source, position: int) -> str:
    try:
        return name_of(source, position=position)
    except Exception:  # code of a path object; reading it raises the same
        return f"image {position}"


@dataclass(frozen=True)
class _ImageReader:
    """Reads images with the options of one stream."""

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
        """Reads it once there is memory for it; the wait does not count towards its time limit."""

        def reserve(count: int) -> None:
            self.budget.take(entry.position, count)
            task.restart_clock()

        image = self.read(entry, reserve)
        self.budget.keep(entry.position, _bytes(image))
        return image


def _start_reading(
    entry: Entry | Broken, reader: _ImageReader, readers: Readers, threads: int
) -> Pending:
    """The image if it is in memory already, or the task that reads it."""
    if isinstance(entry, Broken):
        return entry
    if isinstance(entry.source, Tensor) or (threads == 0 and _is_in_memory(entry.source)):
        return reader.read(entry)
    task = Task(partial(reader.read_in_turn, entry))
    readers.submit(task)
    return entry, task


def _await_image(pending: Pending, reader: _ImageReader, readers: Readers) -> Read:
    """The image once it is read, or the error of one that takes too long."""
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


def _is_in_memory(source: Source) -> bool:
    """Whether it is decoded already."""
    return isinstance(source, np.ndarray) or (
        isinstance(source, PIL.Image.Image) and not getattr(source, "fp", None)
    )


def _is_full(queue: deque[Pending], threads: int, ahead: int) -> bool:
    if not queue:
        return False
    if threads == 0 or not isinstance(queue[0], tuple) or len(queue) >= ahead:
        return True
    return len(queue) >= 2 * threads and sum(map(_bytes, queue)) >= MAX_AHEAD_BYTES


def _bytes(pending: Pending) -> int:
    """Bytes that an image holds; 0 if it is not read yet, or can't be."""
    if isinstance(pending, tuple):
        future = pending[1].future
        if not future.done() or future.exception():
            return 0
        return _bytes(future.result())
    return pending.pixels.nbytes if isinstance(pending, Image) else 0


class Closed(Exception):
    """The stream was closed, and its images are not needed any more."""


class MemoryBudget:
    """Bytes that the images of one stream hold, by their position in it.

    limit: bytes. The image whose turn it is never waits, so that the total may exceed the limit by
        that one.
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
        """Sets the bytes that a read image still holds."""
        with self._changed:
            self._held[position] = count
            self._changed.notify_all()

    def wait_for(self, position: int) -> None:
        """Makes it that image's turn; those before it hold nothing any more."""
        with self._changed:
            self._turn = position
            self._held = {at: count for at, count in self._held.items() if at >= position}
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
    """Up to `count` daemon threads, started when there is work (those of `ThreadPoolExecutor` are
    no daemons)."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._tasks: SimpleQueue[Task[object] | None] = SimpleQueue()
        self._threads = 0
        self._changing = threading.Lock()

    def submit(self, task: Task[Result]) -> None:
        """Queues it."""
        self._tasks.put(task)  # type: ignore[arg-type]  # results are not used here
        with self._changing:
            if self._threads < self._count:
                self._start()

    def give_up(self, task: Task[Result]) -> None:
        """Starts another thread in place of the one that runs that task, which ends after it."""
        with self._changing:
            if not task.future.done():
                task.given_up = True
                self._start()

    def close(self) -> None:
        """Cancels what has not been started; each thread ends after its current task."""
        with suppress(Empty):  # a thread may take the last task in between
            while True:
                if (task := self._tasks.get_nowait()) is not None:
                    task.future.cancel()
        for _ in range(self._threads):
            self._tasks.put(None)

    def _start(self) -> None:
        self._threads += 1
        threading.Thread(target=self._work, name=THREAD_NAME, daemon=True).start()

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            task.run()
            with self._changing:
                if task.given_up:
                    self._threads -= 1
                    return
            del task  # it holds its image, and the next task may come late
