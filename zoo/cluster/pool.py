"""Pool: the workers of one job. Those that end are replaced, and their shards are given to
others."""

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
from zoo.text import listed, pluralize

log = logging.getLogger("zoo")

MOST_DEATHS = 3  # of the workers that look at one shard, or of those that load the model
AHEAD = 2  # shards that a worker has at once: the next is there when one is done
START_SECONDS = 60.0  # until the first process of a job runs
LOOK_AGAIN_SECONDS = 1.0
LOOK, SENT = "look", "look at what was sent"  # the steps of a call with a shard
SHOWN = 6  # images that an error names

Images = Callable[[Sequence[int], bool], Sequence[SentImage]]
Contents = Callable[[Sequence[str]], dict[str, bytes]]


@dataclass(eq=False)
class Member:
    """One worker. calls: that were made and are not answered, with what each is about.

    sends: whether it has to be sent the content of images.
    """

    actor: Any
    calls: deque[tuple[Any, str, Shard | None]] = field(default_factory=deque)
    machine: str = ""
    ready: Ready | None = None
    sends: bool = False

    def ask(self, step: str, reference: Any, shard: Shard | None = None) -> None:
        """Notes a call that was made."""
        self.calls.append((reference, step, shard))


class Pool:
    """Starts workers, gives them shards, and hears what they answer."""

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
        self._most = max(1, min(most, connection.workers))
        self._here = Process().about(PACKAGES)
        self._members: list[Member] = []
        self._todo: deque[Shard] | None = None  # not known before the batches are planned
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
        """The answer of the first worker that has the model. Raises: ClusterError; the worker's own
        error where it can't load the model."""
        while True:
            self._hire()
            for member in self._members:
                if member.ready is not None:
                    return member.ready
            for _ in self._heard():
                pass

    def plan(self, sizes: Sequence[InputSize]) -> list[list[int]]:
        """The batches of images of these sizes, as one process forms them."""
        while True:
            self.ready()
            member = next(member for member in self._members if member.ready)
            try:
                batches = self._ray.get(member.actor.call.remote("plan", sizes))
            except self._ray.exceptions.RayError as error:
                self._bury(member, error)
                continue
            if isinstance(batches, Failed):
                raise batches.error
            return list(batches)

    def look(
        self, shards: Sequence[Shard], images: Images
    ) -> Iterator[tuple[int, Detections, Ready]]:
        """Position, detections and worker of each image, in the order in which shards are done.

        images: those at positions, as they are sent; with their content if the second is true.
        Raises: the error of an image; ClusterError naming the shards that ended several workers,
            once all others are done.
        """
        self._todo = todo = deque(shards)
        while todo or any(call[2] for member in self._members for call in member.calls):
            self._hire()
            for member in self._members:
                while todo and member.ready and len(member.calls) < AHEAD:
                    self._give(member, todo.popleft(), images)
            yield from self._heard()
        if self._lost:
            raise self._poisoned(images)

    def _hire(self) -> None:
        """Starts workers until there are as many as there is work for."""
        busy = sum(bool(member.calls) for member in self._members)
        wanted = self._most if self._todo is None else min(self._most, busy + len(self._todo))
        while len(self._members) < wanted:
            member = Member(self._actor.remote())
            member.ask("about", member.actor.about.remote(PACKAGES))
            self._members.append(member)

    def _give(self, member: Member, shard: Shard, images: Images) -> None:
        sent: Any = images(shard.positions, member.sends)
        if any(isinstance(image.content, bytes) for image in sent):
            sent = self._ray.put(sent)  # what is large goes apart from the call
        counts = [len(batch) for batch in shard.batches]
        step = SENT if member.sends else LOOK
        member.ask(step, member.actor.call.remote("look", sent, counts), shard)

    def _heard(self) -> Iterator[tuple[int, Detections, Ready]]:
        """Waits a moment for answers, and takes up those that are there."""
        first = {member.calls[0][0]: member for member in self._members if member.calls}
        if not first:
            return
        done, _ = self._ray.wait(list(first), num_returns=1, timeout=LOOK_AGAIN_SECONDS)
        if not done:
            self._check_started()
        for reference in done:
            member = first[reference]
            try:
                answer = self._ray.get(reference)
            except self._ray.exceptions.RayTaskError as error:
                raise self._broken(member, error) from None
            except self._ray.exceptions.RayError as error:
                self._bury(member, error)
                continue
            _, step, shard = member.calls.popleft()
            if shard is None:
                self._started(member, step, answer)
            else:
                yield from self._taken(member, step, shard, answer)

    def _started(self, member: Member, step: str, answer: Any) -> None:
        """Takes a worker one step nearer to its work."""
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

    def _taken(
        self, member: Member, step: str, shard: Shard, answer: Any
    ) -> Iterator[tuple[int, Detections, Ready]]:
        """The detections of a shard."""
        assert member.ready is not None
        if isinstance(answer, AbsentImages):
            if step == SENT:
                raise self._unreadable(answer)
            member.sends = True
            self._again([shard])
            return
        looked = answer.seen if isinstance(answer, Failed) else answer
        for position, detections in zip(shard.positions, looked, strict=False):
            yield position, detections, member.ready
        if isinstance(answer, Failed):
            raise answer.error

    def _bury(self, member: Member, error: Exception) -> None:
        """Gives the shards of a worker that ended to others; the one that it looked at has that
        counted."""
        self._members.remove(member)
        self._connection.end(member.actor)
        shards = [shard for _, _, shard in member.calls if shard is not None]
        self._warn(member, sum(len(shard.positions) for shard in shards), error)
        if not member.ready:
            self._failed_starts += 1
            if self._failed_starts >= MOST_DEATHS:
                raise ClusterError(
                    f"{self._job.name} can't be run on the cluster.",
                    f"{pluralize(MOST_DEATHS, 'worker')} ended one after the other before the "
                    f"model was loaded: {_says(error)}",
                    "Look whether the machines have the memory that the model takes; fewer workers "
                    "take less: --cluster local,workers=1",
                )
        self._again(shards[1:])
        if shards:
            shards[0].deaths += 1
            if shards[0].deaths >= MOST_DEATHS and len(shards[0].batches) == 1:
                self._lost.append((shards[0], _says(error)))
            else:
                self._again(shards[0].parts())

    def _warn(self, member: Member, images: int, error: Exception) -> None:
        where = member.machine or self._connection.address.text
        work = f", and others get its {pluralize(images, 'image')}" if images else ""
        log.warning("A worker on %s ended%s: %s", where, work, _says(error))

    def _again(self, shards: Sequence[Shard]) -> None:
        """Puts shards first in the queue."""
        if self._todo is not None:
            self._todo.extendleft(reversed(shards))

    def _check_started(self) -> None:
        """Raises: ClusterError where the cluster gives no process for too long."""
        if any(member.machine for member in self._members):
            self._since = monotonic()
        elif monotonic() - self._since > START_SECONDS:
            raise ClusterError(
                f"{self._job.name} can't be run on {self._connection.address.text}.",
                f"No worker has started within {START_SECONDS:.0f} seconds: "
                f"{self._connection.lent()}.",
                "Wait until others are done, or ask for less: --cluster ADDRESS,workers=1",
            )

    def _broken(self, member: Member, error: Exception) -> ClusterError:
        """The error for what was raised in a worker outside of any step that may fail."""
        return ClusterError(
            f"{self._job.name} can't be run on the machine {member.machine or 'that was lent'}.",
            f"Its worker failed: {_says(error)}",
            "Install the same detzoo, plugins and packages on every machine.",
        )

    def _unreadable(self, absent: AbsentImages) -> ClusterError:
        return ClusterError(
            f"{absent.name} was sent to a worker.",
            "Its content is another now than when the run began.",
            "Run it again once the images stay as they are.",
        )

    def _poisoned(self, images: Images) -> ClusterError:
        """The error for shards that ended worker after worker."""
        shards = [shard for shard, _ in self._lost]
        names = [image.name for shard in shards for image in images(shard.positions, False)]
        return ClusterError(
            f"{self._job.name} was to look at {pluralize(len(names), 'image')}: "
            f"{listed(names, SHOWN)}.",
            f"{pluralize(MOST_DEATHS, 'worker')} ended over "
            f"{'it' if len(shards) == 1 else 'each batch of them'}: {self._lost[0][1]}",
            "Everything else is done and kept. Look at them alone (zoo detect FILE), give workers "
            "more memory (fewer of them: workers=1), or leave these images out; the same command "
            "goes on from there.",
        )


def _says(error: Exception) -> str:
    """The first words of one of Ray's errors that are not about its own internals."""
    text = " ".join(str(error).split())
    for mark in (" actor_id:", " class_name:", " The actor is dead because "):
        if mark == " The actor is dead because " and mark in text:
            text = text.partition(mark)[2]
        elif mark in text and " because " not in text:
            text = text.partition(mark)[0]
    return f"{text[:300].rstrip('.')}."
