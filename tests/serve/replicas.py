"""Servers in processes of their own, to be killed, and clients that send without a pause."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from zoo.detections import Detections
from zoo.errors import ZooError
from zoo.serve import Client

WAIT = 60.0


@dataclass
class Replica:
    """`zoo serve yolox_pico` in a process."""

    process: subprocess.Popen[str]
    url: str = ""

    def wait_for_start(self) -> None:
        """Waits until it says where it serves."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert " at http://" in line, line
        self.url = line.split(" at ")[1].split(": ")[0]

    @property
    def address(self) -> str:
        """Host and port."""
        return self.url.removeprefix("http://")


@contextmanager
def replicas(count: int) -> Iterator[list[Replica]]:
    """As many, started at the same time."""
    command = [sys.executable, "-m", "zoo", "serve", "yolox_pico", "--port", "0", "--quiet"]
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    made = [
        Replica(
            subprocess.Popen(
                command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )
        )
        for _ in range(count)
    ]
    try:
        for replica in made:
            replica.wait_for_start()
        yield made
    finally:
        for replica in made:
            with replica.process as process:
                process.kill()


@dataclass
class Sent:
    """What came of the requests of one client, and the seconds of the longest."""

    answers: list[Detections] = field(default_factory=list)
    errors: list[ZooError] = field(default_factory=list)
    longest: float = 0.0


class Load:
    """Clients that send one image again and again, each on a thread; one ends at its first error.

    reached: whether each of them has had as many answers.
    """

    def __init__(
        self, url: str, image: bytes, *, clients: int, retries: int, timeout: float
    ) -> None:
        self._image = image
        self._over = threading.Event()
        self._settings = {"retries": retries, "timeout": timeout}
        self._sent = [Sent() for _ in range(clients)]
        self._pool = ThreadPoolExecutor(clients)
        self._clients = [self._pool.submit(self._send, url, sent) for sent in self._sent]

    def wait_for(self, answers: int) -> None:
        """Waits until each client that has no error has had as many answers more."""
        aims = [len(sent.answers) + answers for sent in self._sent]
        until = time.monotonic() + WAIT
        while any(
            len(sent.answers) < aim and not sent.errors
            for sent, aim in zip(self._sent, aims, strict=True)
        ):
            assert time.monotonic() < until, "the clients hang"
            time.sleep(0.01)

    def end(self) -> list[Sent]:
        """What came of it, once each client has its last answer or error."""
        self._over.set()
        for client in self._clients:
            client.result(WAIT)
        self._pool.shutdown()
        return self._sent

    def _send(self, url: str, sent: Sent) -> None:
        with Client(url, **self._settings) as client:  # type: ignore[arg-type]
            while not self._over.is_set() and not sent.errors:
                began = time.monotonic()
                try:
                    sent.answers.append(client.detect(self._image, score=0.05))
                except ZooError as error:
                    sent.errors.append(error)
                sent.longest = max(sent.longest, time.monotonic() - began)
