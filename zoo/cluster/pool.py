"""Pool: the workers of one job. It replaces those that end, and gives their shards to others."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from zoo.cluster.connection import Connection
from zoo.cluster.job import AbsentFiles, AbsentImages, Failed, Job, Ready, SentImage
from zoo.cluster.mismatch import PACKAGES, check_about, check_facts
from zoo.cluster.process import Process
from zoo.cluster.shards import Shard
from zoo.detections import Detections
from zoo.errors import ClusterError
from zoo.inference.batch_limit import InputSize
from zoo.text import join_first, pluralize

log = logging.getLogger("zoo")

MAX_DEATHS = 3  # of workers during one shard, or while they load the model
SHARDS_AHEAD = 2  # that a worker has at a time, so that it starts the next without waiting
START_SECONDS = 60.0  # until the first process of a job must run
POLL_SECONDS = 1.0
DETECT, DETECT_SENT = "detect", "detect with sent files"  # the steps of a call with a shard
MAX_NAMES_SHOWN = 6  # of images in an error

Images = Callable[[Sequence[int], bool], Sequence[SentImage]]
Contents = Callable[[Sequence[str]], dict[str, bytes]]


@dataclass(eq=False)
class Member:
    """One worker.

    calls: its unanswered calls, each with its step and, if any, its shard.
    sends: whether it needs the content of images.
    """

    actor: Any
    calls: deque[tuple[Any, str, Shard | None]] = field(default_factory=deque)
    machine: str = ""
    ready: Ready | None = None
    sends: bool = False

    def ask(self, step: str, reference: Any, shard: Shard | None = None) -> None:
        """Records a call that was made."""
        self.calls.append((reference, step, shard))


class Pool:
    """Starts workers, gives them shards, and collects their answers."""

    def __init__(
        self,
        connection: Connection,
        job: Job,
        *,
        expected: dict[str, str],
        contents: Contents,
        most: int,
    ) -> None:
        self._connection, self._ray = connection, connection.ray
        self._job = job
        self._expected = expected
        self._contents = contents
        self._max_workers = max(1, min(most, connection.workers))
        self._here = Process().about(PACKAGES)
        self._members: list[Member] = []
        self._queue: deque[Shard] | None = None  # None before the batches are planned
        self._lost: list[tuple[Shard, str]] = []
        self._failed_starts = 0
        self._sent = self._ray.put(job)
        self._actor = connection.actor_class(Process, device=job.device)
        self._since = monotonic()

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends every worker."""
        for member in self._members:
            self._connection.end(member.actor)
        self._members = []

    def ready(self) -> Ready:
        """Waits for the first worker that has loaded the model. Raises: ClusterError; the worker's
        own error if it can't load the model."""
        while True:
            self._hire()
            for member in self._members:
                if member.ready is not None:
                    return member.ready
            for _ in self._collect():
                pass

    def plan(self, sizes: Sequence[InputSize]) -> list[list[int]]:
        """The batches, as positions, that one process would form of images of these sizes."""
        while True:
            self.ready()
            member = next(member for member in self._members if member.ready)
            try:
                batches = self._ray.get(member.actor.call.remote("plan", sizes))
            except self._ray.exceptions.RayError as error:
                self._remove(member, error)
                continue
            if isinstance(batches, Failed):
                raise batches.error
            return list(batches)

    def detect(
        self, shards: Sequence[Shard], images: Images
    ) -> Iterator[tuple[int, Detections, Ready]]:
        """Position, detections and worker of each image, in the order in which shards are done.

        images: returns the images at positions, with their content if its second argument is true.
        Raises: the error of an image; ClusterError for images that ended several workers, once all
            others are done.
        """
        self._queue = todo = deque(shards)
        while todo or any(call[2] for member in self._members for call in member.calls):
            self._hire()
            for member in self._members:
                while todo and member.ready and len(member.calls) < SHARDS_AHEAD:
                    self._give(member, todo.popleft(), images)
            yield from self._collect()
        if self._lost:
            raise self._fatal_images_error(images)

    def _hire(self) -> None:
        """Starts as many workers as there is work for."""
        busy = sum(bool(member.calls) for member in self._members)
        target = (
            self._max_workers
            if self._queue is None
            else min(self._max_workers, busy + len(self._queue))
        )
        while len(self._members) < target:
            member = Member(self._actor.remote())
            member.ask("about", member.actor.about.remote(PACKAGES))
            self._members.append(member)

    def _give(self, member: Member, shard: Shard, images: Images) -> None:
        sent: Any = images(shard.positions, member.sends)
        if any(isinstance(image.content, bytes) for image in sent):
            sent = self._ray.put(sent)  # large objects are sent apart from the call
        counts = [len(batch) for batch in shard.batches]
        step = DETECT_SENT if member.sends else DETECT
        member.ask(step, member.actor.call.remote("detect", sent, counts), shard)

    def _collect(self) -> Iterator[tuple[int, Detections, Ready]]:
        """Waits a moment for answers, and handles those that have come."""
        first = {member.calls[0][0]: member for member in self._members if member.calls}
        if not first:
            return
        done, _ = self._ray.wait(list(first), num_returns=1, timeout=POLL_SECONDS)
        if not done:
            self._check_started()
        for reference in done:
            member = first[reference]
            try:
                answer = self._ray.get(reference)
            except self._ray.exceptions.RayTaskError as error:
                raise self._worker_error(member, error) from None
            except self._ray.exceptions.RayError as error:
                self._remove(member, error)
                continue
            _, step, shard = member.calls.popleft()
            if shard is None:
                self._advance(member, step, answer)
            else:
                yield from self._take_detections(member, step, shard, answer)

    def _advance(self, member: Member, step: str, answer: Any) -> None:
        """Handles a worker's answer before it is ready, and asks for the next step."""
        nothing: dict[str, bytes] = {}
        if step == "about":
            check_about(self._here, answer, name=self._job.name)
            member.machine = answer["machine"]
            member.ask("prepare", member.actor.call.remote("prepare", self._sent, nothing))
        elif isinstance(answer, AbsentFiles):
            sent = self._ray.put(self._contents(answer.roles))
            member.ask("prepare", member.actor.call.remote("prepare", self._sent, sent))
        elif isinstance(answer, Failed):
            raise answer.error
        else:
            check_facts(self._expected, answer.facts, machine=member.machine, name=self._job.name)
            member.ready = answer
            self._failed_starts = 0

    def _take_detections(
        self, member: Member, step: str, shard: Shard, answer: Any
    ) -> Iterator[tuple[int, Detections, Ready]]:
        """Yields the detections of a shard, or queues it again if the worker lacks its images."""
        assert member.ready is not None
        if isinstance(answer, AbsentImages):
            if step == DETECT_SENT:
                raise self._changed_image_error(answer)
            member.sends = True
            self._requeue([shard])
            return
        results = answer.detections if isinstance(answer, Failed) else answer
        for position, detections in zip(shard.positions, results, strict=False):
            yield position, detections, member.ready
        if isinstance(answer, Failed):
            raise answer.error

    def _remove(self, member: Member, error: Exception) -> None:
        """Removes a worker that ended, and gives its shards to others; the one that it was running
        counts the death."""
        self._members.remove(member)
        self._connection.end(member.actor)
        shards = [shard for _, _, shard in member.calls if shard is not None]
        self._warn_of_end(member, sum(len(shard.positions) for shard in shards), error)
        if not member.ready:
            self._failed_starts += 1
            if self._failed_starts >= MAX_DEATHS:
                raise ClusterError(
                    f"{self._job.name} can't be run on the cluster.",
                    f"{pluralize(MAX_DEATHS, 'worker')} ended one after the other before the "
                    f"model was loaded: {_reason(error)}",
                    "Check that the machines have enough memory for the model; fewer workers need "
                    "less: --cluster local,workers=1",
                )
        self._requeue(shards[1:])
        if shards:
            shards[0].deaths += 1
            if shards[0].deaths >= MAX_DEATHS and len(shards[0].batches) == 1:
                self._lost.append((shards[0], _reason(error)))
            else:
                self._requeue(shards[0].parts())

    def _warn_of_end(self, member: Member, images: int, error: Exception) -> None:
        where = member.machine or self._connection.address.text
        work = f", and others get its {pluralize(images, 'image')}" if images else ""
        log.warning("A worker on %s ended%s: %s", where, work, _reason(error))

    def _requeue(self, shards: Sequence[Shard]) -> None:
        """Puts shards at the front of the queue."""
        if self._queue is not None:
            self._queue.extendleft(reversed(shards))

    def _check_started(self) -> None:
        """Raises: ClusterError if the cluster has started no worker for too long."""
        if any(member.machine for member in self._members):
            self._since = monotonic()
        elif monotonic() - self._since > START_SECONDS:
            raise ClusterError(
                f"{self._job.name} can't be run on {self._connection.address.text}.",
                f"No worker has started within {START_SECONDS:.0f} seconds: "
                f"{self._connection.free_resources()}.",
                "Wait until other jobs are done, or use less: --cluster ADDRESS,workers=1",
            )

    def _worker_error(self, member: Member, error: Exception) -> ClusterError:
        """The error for an unexpected exception in a worker."""
        return ClusterError(
            f"{self._job.name} can't be run on {member.machine or 'one of the machines'}.",
            f"Its worker failed: {_reason(error)}",
            "Install the same detzoo, plugins and packages on every machine.",
        )

    def _changed_image_error(self, absent: AbsentImages) -> ClusterError:
        return ClusterError(
            f"{absent.name} was sent to a worker.",
            "Its content has changed since the run began.",
            "Run it again, and leave the images unchanged.",
        )

    def _fatal_images_error(self, images: Images) -> ClusterError:
        """The error for images that ended several workers."""
        shards = [shard for shard, _ in self._lost]
        names = [image.name for shard in shards for image in images(shard.positions, False)]
        return ClusterError(
            f"{self._job.name} can't process {pluralize(len(names), 'image')}: "
            f"{join_first(names, MAX_NAMES_SHOWN)}.",
            f"{pluralize(MAX_DEATHS, 'worker')} ended over "
            f"{'it' if len(shards) == 1 else 'each batch of them'}: {self._lost[0][1]}",
            "All other images are done and stored. Run these alone (zoo detect FILE), give workers "
            "more memory (fewer of them: workers=1), or leave these images out; the same command "
            "then continues.",
        )


def _reason(error: Exception) -> str:
    """The first words of one of Ray's errors, without its internals."""
    text = " ".join(str(error).split())
    for mark in (" actor_id:", " class_name:", " The actor is dead because "):
        if mark == " The actor is dead because " and mark in text:
            text = text.partition(mark)[2]
        elif mark in text and " because " not in text:
            text = text.partition(mark)[0]
    return f"{text[:300].rstrip('.')}."
