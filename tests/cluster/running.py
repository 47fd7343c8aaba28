"""A running cluster: machines that `ray start` starts on this one, as in a user's shell, and that
end with the block they are started in."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import grpc
import psutil

TOKEN = "0123456789abcdef" * 4
SETTINGS = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": TOKEN}
QUIET_FORK = {
    "GRPC_ENABLE_FORK_SUPPORT": "0"
}  # else now and then a head starts no server for a client
TRIES = 3  # for a port that somebody else takes first
START_SECONDS = 90.0
WORKER = "ray::Process"


class Machine:
    """The processes of one machine of a cluster, with that many processors to lend.

    options: of `ray start`: whether it is the head, or whose machine it is.
    """

    def __init__(self, folder: str, *options: str, processors: int) -> None:
        ray = Path(sys.executable).with_name("ray")
        self.log = Path(folder) / f"{free_port()}.log"
        arguments = ["--block", f"--num-cpus={processors}", *options]
        arguments += [f"--dashboard-agent-listen-port={free_port()}"]
        arguments += ["--min-worker-port=0", "--max-worker-port=0"]
        arguments += ["--object-store-memory=100000000"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [str(ray), "start", *arguments],
                env=os.environ | SETTINGS | QUIET_FORK,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def started(self) -> bool:
        """Whether it became part of a cluster; False once it has ended instead."""
        until = time.monotonic() + START_SECONDS
        while "Ray runtime started" not in self.log.read_text("utf-8"):
            if self.process.poll() is not None or time.monotonic() > until:
                return False
            time.sleep(0.1)
        return True

    def processes(self) -> list[psutil.Process]:
        """Those that run, itself first."""
        try:
            top = psutil.Process(self.process.pid)
            return [top, *top.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def workers(self) -> list[psutil.Process]:
        """Those that look at images."""
        return [process for process in self.processes() if is_worker(process)]

    def kill(self) -> None:
        """Ends all of it at once, as a machine that loses its power."""
        for process in self.processes():
            _send(process, signal.SIGKILL)
        self.process.wait(timeout=30)

    def stop(self) -> None:
        """Ends it as Ctrl-C does, and what is left after that for good."""
        processes = self.processes()
        self.process.terminate()
        _, left = psutil.wait_procs(processes, timeout=20)
        for process in left:
            _send(process, signal.SIGKILL)
        self.process.wait(timeout=30)


class Head(Machine):
    """The first machine of a cluster. address: as `--cluster` takes it."""

    def __init__(self, folder: str, *, processors: int) -> None:
        self.folder = folder
        self.port, clients = free_port(), free_port()
        self.address = f"ray://127.0.0.1:{clients}"
        options = ["--head", "--include-dashboard=false", f"--temp-dir={folder}"]
        options += [f"--port={self.port}", f"--ray-client-server-port={clients}"]
        super().__init__(folder, *options, processors=processors)

    @contextmanager
    def joined(self) -> Iterator[Machine]:
        """One more machine of its cluster, with one processor."""
        machine = Machine(self.folder, f"--address=127.0.0.1:{self.port}", processors=1)
        try:
            assert machine.started(), machine.log.read_text("utf-8")
            yield machine
        finally:
            machine.stop()

    def answers(self) -> bool:
        """Whether its client server is ready, which comes after the rest; a busy machine takes its
        time for it."""
        channel = grpc.insecure_channel(self.address.removeprefix("ray://"))
        try:
            grpc.channel_ready_future(channel).result(timeout=START_SECONDS)
        except grpc.FutureTimeoutError:
            return False
        finally:
            channel.close()
        return True


@contextmanager
def head(*, processors: int = 1) -> Iterator[Head]:
    """A cluster of one machine; ports that are taken meanwhile are replaced by others."""
    with ExitStack() as held:
        folder = held.enter_context(tempfile.TemporaryDirectory(prefix="zoo-head-"))
        for _ in range(TRIES):
            made = Head(folder, processors=processors)
            held.callback(made.stop)
            if made.started() and made.answers():
                yield made
                return
        raise AssertionError(made.log.read_text("utf-8"))


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def is_worker(process: psutil.Process) -> bool:
    """Whether it looks at images."""
    try:
        return WORKER in " ".join(process.cmdline())
    except psutil.Error:
        return False


def _send(process: psutil.Process, number: signal.Signals) -> None:
    with suppress(psutil.NoSuchProcess):
        process.send_signal(number)
