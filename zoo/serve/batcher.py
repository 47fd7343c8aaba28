"""Batches the images of concurrent requests, those of one input size and protocol together, on
threads of each predictor; an image that fails does not fail the others of its batch."""

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

OnBatch: TypeAlias = Callable[[int, float], None]


class BatchOutcome(NamedTuple):
    """The result for one image.

    batch_size:   how many images ran together.
    wait_seconds: from the image's arrival to the start of its batch.
    run_seconds:  of the batch in the predictor.
    """

    detections: Detections
    batch_size: int
    wait_seconds: float
    run_seconds: float


class Key(NamedTuple):
    """The input size and protocol, equal for images that may share a batch."""

    size: InputSize
    protocol: Protocol


@dataclass(eq=False)
class Job:
    """One image in line, and the future of its result."""

    image: Image
    key: Key
    future: Future[BatchOutcome] = field(default_factory=Future)
    arrived: float = field(default_factory=monotonic)


class Batcher:
    """Runs one predictor, on threads of its own, until it is closed.

    max_batch: the most images that run together; fewer if `detect` by itself would take fewer of
        their input size, and after memory ran out.
    max_wait:  seconds that an image waits for announced ones.
    threads:   how many batches run at a time; while one is prepared or decoded, another keeps the
        cores busy.
    on_batch:  called after each batch with its number of images and its seconds.
    """

    def __init__(
        self,
        predictor: Predictor,
        *,
        max_batch: int,
        max_wait: float,
        threads: int = 1,
        on_batch: OnBatch | None = None,
    ) -> None:
        self._predictor = predictor
        self._max_batch = max_batch
        self._limit = BatchLimit.of(predictor, "auto")
        self._max_wait = max_wait
        self._on_batch = on_batch
        self._groups: dict[Key, deque[Job]] = {}
        self._announced = 0
        self._closing = False
        self._busy_since: dict[int, float] = {}  # by thread
        self._changed = threading.Condition()
        self._threads = [
            threading.Thread(target=self._work, args=(index,), name="zoo-serve", daemon=True)
            for index in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    @contextmanager
    def announce(self) -> Iterator[None]:
        """Announces an image while it is received and decoded, so that those in line may wait for
        it."""
        with self._changed:
            self._announced += 1
        try:
            yield
        finally:
            with self._changed:
                self._announced -= 1
                self._changed.notify_all()

    def submit(self, image: Image, protocol: Protocol) -> Future[BatchOutcome]:
        """Puts an image in line; cancelling its future before its batch starts removes it.

        Raises:
            ImageError: the network can't take an image of that size.
            ContractError: the predictor's code failed.
            RuntimeError: the batcher is closed.
        """
        job = self._job(image, protocol)
        # Calls the predictor's code, which then fails here and not in the thread.
        self._full_count(job.key)
        with self._changed:
            if self._closing:
                raise RuntimeError("the batcher is closed")
            self._groups.setdefault(job.key, deque()).append(job)
            self._changed.notify_all()
        return job.future

    def full_batch(self, image: Image, protocol: Protocol) -> int:
        """How many such images make a full batch. Raises: as `submit`."""
        return self._full_count(self._job(image, protocol).key)

    @property
    def waiting(self) -> int:
        """The number of images in line."""
        with self._changed:
            return sum(map(len, self._groups.values()))

    @property
    def busy_seconds(self) -> float:
        """For how long the longest-running batch has been running; 0 without one."""
        since = list(self._busy_since.values())
        return monotonic() - min(since) if since else 0.0

    @property
    def is_alive(self) -> bool:
        """Whether its threads run."""
        return all(thread.is_alive() for thread in self._threads)

    def close(self, *, seconds: float) -> bool:
        """Finishes the images in line and ends the threads. Returns whether they ended in time."""
        until = monotonic() + seconds
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(max(0.0, until - monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _work(self, index: int) -> None:
        while (jobs := self._next()) is not None:
            self._busy_since[index] = began = monotonic()
            try:
                self._run(jobs, began)
            except BaseException as error:  # the requests get it, and the thread goes on
                for job in jobs:
                    if not job.future.done():
                        job.future.set_exception(error)
            finally:
                if self._on_batch:
                    self._on_batch(len(jobs), monotonic() - began)
                del self._busy_since[index]
                del jobs  # frees their images while the thread waits

    def _next(self) -> list[Job] | None:
        """Waits for the jobs of the next batch; None once the batcher is closed and empty."""
        with self._changed:
            while True:
                if not self._groups:
                    if self._closing:
                        return None
                    self._changed.wait()
                    continue
                oldest = min(self._groups, key=lambda key: self._groups[key][0].arrived)
                left = self._groups[oldest][0].arrived + self._max_wait - monotonic()
                full = [
                    key for key, jobs in self._groups.items() if len(jobs) >= self._full_count(key)
                ]
                if left > 0 and self._announced and not self._closing and not full:
                    self._changed.wait(left)
                    continue
                key = full[0] if full and left > 0 else oldest
                if jobs := self._take(key):
                    return jobs

    def _job(self, image: Image, protocol: Protocol) -> Job:
        size = BatchRunner(self._predictor, protocol).input_size(image)
        return Job(image, Key(size, protocol))

    def _full_count(self, key: Key) -> int:
        """How many images of that input size make a full batch."""
        return min(self._max_batch, self._limit(key.size))

    def _take(self, key: Key) -> list[Job]:
        """Removes up to a batch of jobs from a group, and returns those that are not cancelled."""
        jobs: list[Job] = []
        group = self._groups[key]
        limit = self._full_count(key)
        while group and len(jobs) < limit:
            job = group.popleft()
            if job.future.set_running_or_notify_cancel():
                jobs.append(job)
        if not group:
            del self._groups[key]
        return jobs

    def _run(self, jobs: Sequence[Job], began: float) -> None:
        """Runs the jobs as one batch, or, if that fails, in halves, until every image that fails is
        alone with its error."""
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
            run_seconds = monotonic() - began
            for job, detections in zip(jobs, predictions, strict=True):
                wait_seconds = began - job.arrived
                outcome = BatchOutcome(detections, len(jobs), wait_seconds, run_seconds)
                job.future.set_result(outcome)
            return
        half = (len(jobs) + 1) // 2
        self._run(jobs[:half], began)
        self._run(jobs[half:], began)
