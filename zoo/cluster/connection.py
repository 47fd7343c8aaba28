"""The connection to a cluster: an own one on this machine is started and stopped, a running one is
reached through Ray's client, and what goes wrong is said within seconds."""

from __future__ import annotations

import logging
import os
import shutil
import socket
import sys
import tempfile
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

from zoo import environment
from zoo.cluster.address import Address
from zoo.cluster.library import library
from zoo.environment import cores
from zoo.errors import ClusterError

REACH_SECONDS = 5.0
TRIES = 2  # to connect, for 5 and for 10 seconds; a busy head may need them
# What a head says that has not started a server for this client: it forks it while threads of
# its own, which now and then ends the new process, or stops it.
NOT_STARTED = ("Starting Ray client server failed", "Proxy failed to Connect to backend")
STARTS = 2  # of such a server
PREFIX = "zoo-ray-"  # how the folder of an own cluster's logs and sockets begins


class Connection:
    """A cluster that can be given work.

    workers: how many look at images, at most. threads: of each.
    gpus:    whether each worker is lent one.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self._folder: str | None = None
        self._borrowed = False
        self._before = environment.beginning_with(("RAY_",))
        self.ray = library(own=address.is_local)
        try:
            self._open()
        except BaseException:
            self.close()
            raise
        resources = self.ray.cluster_resources()
        self.gpus = int(resources.get("GPU", 0))
        self.threads = address.threads or 1
        fit = max(1, self.gpus or int(resources.get("CPU", 1)) // self.threads)
        self.workers = min(address.workers or fit, max(fit, address.workers or 0))

    def close(self) -> None:
        """Lets go of the cluster; one of its own is stopped, and its files are removed."""
        if not self._borrowed:
            self.ray.shutdown()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
        environment.restore(("RAY_",), self._before)

    def actor_class(self, body: type, *, device: str | None) -> Any:
        """The class of a worker's process, with what each is lent."""
        self.ray.cloudpickle.register_pickle_by_value(sys.modules[body.__module__])
        lends = bool(self.gpus) and device != "cpu"
        options = {"num_cpus": self.threads, "num_gpus": int(lends), "max_restarts": 0}
        return self.ray.remote(body).options(**options)

    def end(self, actor: Any) -> None:
        """Ends a worker's process, if it has not ended."""
        with suppress(Exception):  # its machine is gone, or the connection
            self.ray.kill(actor, no_restart=True)

    def lent(self) -> str:
        """The processors and GPUs of the cluster, and how many of them are free, in words."""
        have, free = self.ray.cluster_resources(), self.ray.available_resources()
        parts = [
            f"{free.get(kind, 0):.0f} of {have.get(kind, 0):.0f} {kind}s are free"
            for kind in ("CPU", "GPU")
            if kind in have or kind == "CPU"
        ]
        return " and ".join(parts)

    def _open(self) -> None:
        if not self.address.is_local:
            reach(self.address)
            connect(self.ray, self.address)
        elif self.ray.is_initialized():  # by the program that this is a part of
            self._borrowed = True
        else:
            clear_left()
            self._folder = tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-")
            self.ray.init(
                address="local",
                num_cpus=processors(self.address),
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
                _temp_dir=self._folder,
            )


def clear_left() -> None:
    """Removes the files of own clusters whose process was killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        owner = folder.name.removeprefix(PREFIX).partition("-")[0]
        if owner.isdecimal() and not _runs(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)


def _runs(process: int) -> bool:
    """Whether there is a process of that number, as far as that can be asked here."""
    if os.name == "nt":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is somebody else's
        return True
    return True


def processors(address: Address) -> int:
    """How many processors an own cluster has to lend."""
    threads = address.threads or 1
    return max(cores(), threads * (address.workers or 1))


def reach(address: Address) -> None:
    """Raises: ClusterError if nobody listens there."""
    assert address.host is not None
    try:
        socket.create_connection((address.host, address.port or 0), timeout=REACH_SECONDS).close()
    except OSError as error:
        case = f"Nobody answers at {address.host}:{address.port}: {error.strerror or error}."
        raise unreachable(address, case) from None


def connect(ray: Any, address: Address) -> None:
    """Raises: ClusterError where what listens there is no Ray, or another one."""
    for attempt in range(STARTS):
        try:
            _connect_once(ray, address)
        except (ConnectionError, RuntimeError) as error:
            said = " ".join(str(error).split())
            if attempt + 1 < STARTS and any(words in said for words in NOT_STARTED):
                continue
            raise refused(address, said) from None
        return


def _connect_once(ray: Any, address: Address) -> None:
    host = f"[{address.host}]" if ":" in (address.host or "") else address.host
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ray.util.connect(
            f"{host}:{address.port}",
            connection_retries=TRIES,
            ray_init_kwargs={"log_to_driver": False, "logging_level": logging.ERROR},
        )


def refused(address: Address, said: str) -> ClusterError:
    """The error for what Ray said when it did not connect."""
    if "version" in said.lower():
        return ClusterError(
            f"The cluster {address.text} can't be used.",
            f"Ray or Python is another there: {said:.400}",
            "Install the same versions here as there.",
        )
    if any(words in said for words in NOT_STARTED):
        return ClusterError(
            f"The cluster {address.text} can't be used.",
            "Its head answers, but twice did not start a server for this command, as where it is "
            "very busy.",
            "Try again later. What its head says about it is in /tmp/ray/session_latest/logs "
            "there, in ray_client_server*.err; how many seconds it gives a server is "
            "RAY_CLIENT_SERVER_CHECK_CHANNEL_TIMEOUT_S in front of: ray start --head …",
        )
    case = (
        f"What listens at {address.host}:{address.port} does not answer as Ray's client "
        f"server: {said:.300}"
    )
    return unreachable(address, case)


def unreachable(address: Address, case: str) -> ClusterError:
    """The error for an address that leads to no cluster."""
    return ClusterError(
        f"The cluster {address.text} can't be reached.",
        case,
        "Start it on its head with: ray start --head --ray-client-server-port 10001; then write "
        "ray://HOST:10001 (6379 and 8265 are other ports of Ray). The token is in "
        "~/.ray/auth_token there: export RAY_AUTH_TOKEN=…",
    )
