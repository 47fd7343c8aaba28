"""Connects to a running cluster through Ray's client, or starts and stops a temporary one on this
machine; errors come within seconds."""

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
from zoo.cluster.ray_library import library
from zoo.environment import cores
from zoo.errors import ClusterError

REACH_SECONDS = 5.0
CONNECTION_TRIES = 2  # of 5 and of 10 seconds; a busy head may need both
# The messages of a head that failed to start a server for this client: it forks the server while it
# runs threads, which now and then ends or stops the new process.
NOT_STARTED = ("Starting Ray client server failed", "Proxy failed to Connect to backend")
SERVER_STARTS = 2  # of such a server
FOLDER_PREFIX = "zoo-ray-"  # of the folder with a temporary cluster's logs and sockets


class Connection:
    """An open connection to a cluster.

    workers: the most workers that run at a time.
    threads: of each worker.
    gpus:    of the whole cluster; if there are any, each worker gets one.
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
        """Disconnects; a temporary cluster is stopped, and its files are removed."""
        if not self._borrowed:
            self.ray.shutdown()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
        environment.restore(("RAY_",), self._before)

    def actor_class(self, body: type, *, device: str | None) -> Any:
        """The actor class of a worker's process, with the processors and GPUs that each gets."""
        self.ray.cloudpickle.register_pickle_by_value(sys.modules[body.__module__])
        gets_gpu = bool(self.gpus) and device != "cpu"
        options = {"num_cpus": self.threads, "num_gpus": int(gets_gpu), "max_restarts": 0}
        return self.ray.remote(body).options(**options)

    def end(self, actor: Any) -> None:
        """Ends a worker's process, if it still runs."""
        with suppress(Exception):  # its machine or the connection is gone
            self.ray.kill(actor, no_restart=True)

    def free_resources(self) -> str:
        """How many processors and GPUs of the cluster are free, in words."""
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
        elif self.ray.is_initialized():  # by the program that uses the zoo
            self._borrowed = True
        else:
            remove_stale_folders()
            self._folder = tempfile.mkdtemp(prefix=f"{FOLDER_PREFIX}{os.getpid()}-")
            self.ray.init(
                address="local",
                num_cpus=processors(self.address),
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
                _temp_dir=self._folder,
            )


def remove_stale_folders() -> None:
    """Removes the files of temporary clusters whose process was killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDER_PREFIX}*-*"):
        owner = folder.name.removeprefix(FOLDER_PREFIX).partition("-")[0]
        if owner.isdecimal() and not _runs(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)


def _runs(process: int) -> bool:
    """Whether a process of that id runs; also true on systems where that can't be found out."""
    if os.name == "nt":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it belongs to another user
        return True
    return True


def processors(address: Address) -> int:
    """The number of processors of a temporary cluster."""
    threads = address.threads or 1
    return max(cores(), threads * (address.workers or 1))


def reach(address: Address) -> None:
    """Raises: ClusterError if nothing listens there."""
    assert address.host is not None
    try:
        socket.create_connection((address.host, address.port or 0), timeout=REACH_SECONDS).close()
    except OSError as error:
        case = f"Nothing answers at {address.host}:{address.port}: {error.strerror or error}."
        raise unreachable(address, case) from None


def connect(ray: Any, address: Address) -> None:
    """Connects Ray's client. Raises: ClusterError if no Ray listens there, or one of another
    version."""
    for attempt in range(SERVER_STARTS):
        try:
            _connect_once(ray, address)
        except (ConnectionError, RuntimeError) as error:
            message = " ".join(str(error).split())
            if attempt + 1 < SERVER_STARTS and any(words in message for words in NOT_STARTED):
                continue
            raise connect_error(address, message) from None
        return


def _connect_once(ray: Any, address: Address) -> None:
    host = f"[{address.host}]" if ":" in (address.host or "") else address.host
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ray.util.connect(
            f"{host}:{address.port}",
            connection_retries=CONNECTION_TRIES,
            ray_init_kwargs={"log_to_driver": False, "logging_level": logging.ERROR},
        )


def connect_error(address: Address, message: str) -> ClusterError:
    """The error for Ray's message when its client did not connect."""
    if "version" in message.lower():
        return ClusterError(
            f"The cluster {address.text} can't be used.",
            f"Ray or Python has another version there: {message:.400}",
            "Install the same versions here as there.",
        )
    if any(words in message for words in NOT_STARTED):
        return ClusterError(
            f"The cluster {address.text} can't be used.",
            "Its head answers, but twice failed to start a server for this command; it may be very "
            "busy.",
            "Try again later. The head's log there is "
            "/tmp/ray/session_latest/logs/ray_client_server*.err; to give a server more seconds, "
            "set RAY_CLIENT_SERVER_CHECK_CHANNEL_TIMEOUT_S in front of: ray start --head …",
        )
    case = (
        f"What listens at {address.host}:{address.port} does not answer as Ray's client "
        f"server: {message:.300}"
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
