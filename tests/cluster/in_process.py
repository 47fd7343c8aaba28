"""A cluster whose workers live in this process: what Ray does, without Ray, and workers that die
when a test wants them to."""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from zoo.cluster import Cluster


class RayError(Exception):
    """The end of a worker."""


class RayTaskError(RayError):
    """What a worker raised."""


Dies = Callable[[str, tuple[Any, ...]], bool]


@dataclass(eq=False)
class Reference:
    """An object, or a call that is made when it is asked for."""

    make: Callable[[], Any]


@dataclass(eq=False)
class Method:
    """A method of an actor."""

    ray: InProcessRay
    actor: Actor
    name: str

    def remote(self, *arguments: Any) -> Reference:
        """Makes a call of it later; everything goes through pickle, as over a network."""
        sent = pickle.dumps([self.ray.resolved(argument) for argument in arguments])
        return Reference(lambda: self.ray.called(self.actor, self.name, pickle.loads(sent)))


@dataclass(eq=False)
class Actor:
    """A worker's process."""

    ray: InProcessRay
    body: Any
    number: int
    dead: bool = False

    def __getattr__(self, name: str) -> Method:
        return Method(self.ray, self, name)


@dataclass
class InProcessRay:
    """The part of Ray's interface that a pool uses.

    dies: (step, arguments) -> whether the worker that is asked ends instead of answering.
    """

    dies: Dies = lambda step, arguments: False
    started: list[Actor] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)
    exceptions: Any = field(
        default_factory=lambda: SimpleNamespace(RayError=RayError, RayTaskError=RayTaskError)
    )

    def put(self, thing: Any) -> Reference:
        """An object of the store."""
        return Reference(lambda: thing)

    def resolved(self, argument: Any) -> Any:
        """What a reference stands for."""
        return argument.make() if isinstance(argument, Reference) else argument

    def get(self, reference: Reference) -> Any:
        """The answer of a call."""
        return reference.make()

    def wait(
        self,
        references: list[Reference],
        *,
        num_returns: int,
        timeout: float,  # noqa: ARG002
    ) -> tuple[list[Reference], list[Reference]]:
        """All are done as soon as they are asked for; the last one first."""
        return references[-num_returns:], references[:-num_returns]

    def called(self, actor: Actor, name: str, arguments: list[Any]) -> Any:
        """What the actor's method returns. Raises: RayError where it dies."""
        step = arguments[0] if name == "call" else name
        if actor.dead or self.dies(step, tuple(arguments)):
            actor.dead = True
            raise RayError("The actor died because its node has died.")
        try:
            return pickle.loads(pickle.dumps(getattr(actor.body, name)(*arguments)))
        except Exception as error:
            raise RayTaskError(str(error)) from error


@dataclass
class InProcessConnection:
    """A connection to it."""

    ray: InProcessRay
    address: Any
    workers: int = 2
    threads: int = 1
    gpus: int = 0

    def actor_class(self, body: type, *, device: str | None) -> Any:  # noqa: ARG002
        """What starts a worker."""
        numbers = itertools.count()

        def start() -> Actor:
            actor = Actor(self.ray, body(), next(numbers))
            self.ray.started.append(actor)
            return actor

        return SimpleNamespace(remote=start)

    def end(self, actor: Actor) -> None:
        """Ends it."""
        actor.dead = True
        self.ray.ended.append(actor.number)

    def free_resources(self) -> str:
        """What is free."""
        return "0 of 2 CPUs are free"

    def close(self) -> None:
        """Nothing is left."""


class InProcessCluster(Cluster):
    """A cluster in this process. local: whether its workers share the files of this machine."""

    def __init__(self, *, dies: Dies | None = None, local: bool = True, workers: int = 2) -> None:
        super().__init__("local" if local else "ray://example:10001")
        self.ray = InProcessRay() if dies is None else InProcessRay(dies)
        self.made = InProcessConnection(self.ray, self.address, workers)

    @property
    def connection(self) -> Any:
        """The connection, which is there from the beginning."""
        return self.made
