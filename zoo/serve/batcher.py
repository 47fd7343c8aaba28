"""Batches of images that requests bring: on threads of each predictor, images of one input size and
one protocol together; one image that fails does not fail its neighbours."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from zoo.contract.predictor import is_out_of_memory
from zoo.contract.protocol import Protocol
from zoo.detections import Detections
from zoo.images import Image
from zoo.inference.batch_limit import BatchLimit, InputSize
from zoo.inference.runner import BatchRunner

if TYPE_CHECKING:
    from zoo.contract.predictor import Predictor

Ran: TypeAlias = Callable[[int, float], None]


class Outcome(NamedTuple):
    """Detections of one image. batch: how many images ran together; waited: seconds in line; ran:
    seconds of the batch."""

    detections: Detections
    batch: int
    waited: float
    ran: float


class Key(NamedTuple):
    """Equal for images that may be in one batch."""

    size: InputSize
    protocol: Protocol


@dataclass(eq=False)
class Job:
    """One image in line, and who waits for it."""

    image: Image
    key: Key
    future: Future[Outcome] = field(default_factory=Future)
    arrived: float = field(default_factory=monotonic)


class Batcher:
    """Runs one predictor, on threads of its own, until it is closed.

    max_batch: images that run together at most; fewer where `detect` by itself takes fewer of
        their input size, and once memory ran out.
    max_wait:  seconds that an image waits for announced ones.
    threads:   batches that run at a time; while one is prepared, or its boxes are made, another
        keeps the cores busy.
    ran:       called after each batch with its number of images and its seconds.
    """

    def __init__(
        self,
        predictor: Predictor,
        *,
        max_batch: int,
        max_wait: float,
        threads: int = 1,
        ran: Ran | None = None,
    ) -> None:
        self._predictor = predictor
        self._max_batch = max_batch
        self._limit = BatchLimit.of(predictor, "auto")
        self._max_wait = max_wait
        self._ran = ran
        self._groups: dict[Key, deque[Job]] = {}
        self._announced = 0
        self._closing = False
        self._busy_since: dict[int, float] = {}  # by thread
        self._changed = threading.Condition()
        self._threads = [
            threading.Thread(target=self._work, args=(place,), name="zoo-serve", daemon=True)
            for place in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    @contextmanager
    def announced(self) -> Iterator[None]:
        """Says that an image is on its way: those in line may wait for it. It has come, or does
        not come, when the block ends."""
        with self._changed:
            self._announced += 1
        try:
            yield
        finally:
            with self._changed:
                self._announced -= 1
                self._changed.notify_all()

    def submit(self, image: Image, protocol: Protocol) -> Future[Outcome]:
        """Puts an image in line; a future that is cancelled before its batch begins leaves it.

        Raises:
            ImageError: the network can't take an image of that size.
            ContractError: the predictor's code failed.
            RuntimeError: the batcher is closed.
        """
        job = self._job(image, protocol)
        self._most(job.key)  # where the predictor's code fails, it is here, and not in the thread
        with self._changed:
            if self._closing:
                raise RuntimeError("the batcher is closed")
            self._groups.setdefault(job.key, deque()).append(job)
            self._changed.notify_all()
        return job.future

    def full_batch(self, image: Image, protocol: Protocol) -> int:
        """How many images like that make a full batch. Raises: as `submit`."""
        return self._most(self._job(image, protocol).key)

    @property
    def waiting(self) -> int:
        """The number of images in line."""
        with self._changed:
            return sum(map(len, self._groups.values()))

    @property
    def busy_seconds(self) -> float:
        """How long the oldest batch that runs now has been running; 0 where none does."""
        since = list(self._busy_since.values())
        return monotonic() - min(since) if since else 0.0

    @property
    def is_alive(self) -> bool:
        """Whether its threads run."""
        return all(thread.is_alive() for thread in self._threads)

    def close(self, *, seconds: float) -> bool:
        """Finishes what is in line and ends the threads. Returns whether they ended within that
        time."""
        until = monotonic() + seconds
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(max(0.0, until - monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _work(self, place: int) -> None:
        while (jobs := self._next()) is not None:
            self._busy_since[place] = began = monotonic()
            try:
                self._answer(jobs, began)
            except BaseException as error:  # whoever waits gets it, and the thread goes on
                for job in jobs:
                    if not job.future.done():
                        job.future.set_exception(error)
            finally:
                if self._ran:
                    self._ran(len(jobs), monotonic() - began)
                del self._busy_since[place]
                del jobs  # they hold their images, and the next may be long in coming

    def _next(self) -> list[Job] | None:
        """The jobs of the next batch, once it is time; None when the batcher is closed and nothing
        is left."""
        with self._changed:
            while True:
                if not self._groups:
                    if self._closing:
                        return None
                    self._changed.wait()
                    continue
                oldest = min(self._groups, key=lambda key: self._groups[key][0].arrived)
                left = self._groups[oldest][0].arrived + self._max_wait - monotonic()
                full = [key for key, jobs in self._groups.items() if len(jobs) >= self._most(key)]
                if left > 0 and self._announced and not self._closing and not full:
                    self._changed.wait(left)
                    continue
                key = full[0] if full and left > 0 else oldest
                if jobs := self._taken(key):
                    return jobs

    def _job(self, image: Image, protocol: Protocol) -> Job:
        size = BatchRunner(self._predictor, protocol).input_size(image)
        return Job(image, Key(size, protocol))

    def _most(self, key: Key) -> int:
        """How many images of that input size make a full batch."""
        return min(self._max_batch, self._limit(key.size))

    def _taken(self, key: Key) -> list[Job]:
        """Up to a batch of jobs from that group, without those that nobody waits for."""
        jobs: list[Job] = []
        group = self._groups[key]
        most = self._most(key)
        while group and len(jobs) < most:
            job = group.popleft()
            if job.future.set_running_or_notify_cancel():
                jobs.append(job)
        if not group:
            del self._groups[key]
        return jobs

    def _answer(self, jobs: Sequence[Job], began: float) -> None:
        """Runs the jobs as one batch; where that fails in two halves, until each image that fails
        is alone with its error."""
        runner = BatchRunner(self._predictor, jobs[0].key.protocol)
        try:
            predictions = runner.run([job.image for job in jobs])
        except Exception as error:
            if is_out_of_memory(error):
                runner.release()
                self._limit.lower(jobs[0].key.size, len(jobs))
                error = runner.too_large(jobs[0].image, error.with_traceback(None))
            if len(jobs) == 1:
                jobs[0].future.set_exception(error)
                return
        else:
            ran = monotonic() - began
            for job, detections in zip(jobs, predictions, strict=True):
                job.future.set_result(Outcome(detections, len(jobs), began - job.arrived, ran))
            return
        half = (len(jobs) + 1) // 2
        self._answer(jobs[:half], began)
        self._answer(jobs[half:], began)
