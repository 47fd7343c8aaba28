"""An address that leads nowhere says so within seconds, and what to type."""

import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest

from zoo.cluster import Cluster
from zoo.cluster.address import Address
from zoo.cluster.connection import (
    FOLDER_PREFIX,
    NOT_STARTED,
    connect,
    processors,
    remove_stale_folders,
)
from zoo.errors import ClusterError, MissingExtra


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_accept, args=(server,))
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)  # closing alone wakes no thread that waits
        thread.join()


def _accept(server: socket.socket) -> None:
    with ExitStack() as held:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            held.enter_context(connection)


def test_a_port_that_nobody_listens_at_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    before = dict(os.environ)
    with (
        Cluster(f"ray://127.0.0.1:{port}") as cluster,
        pytest.raises(ClusterError) as raised,
    ):
        _ = cluster.connection
    assert raised.value.failure == f"The cluster ray://127.0.0.1:{port} can't be reached."
    assert "Connection refused" in raised.value.case
    assert "ray start --head --ray-client-server-port 10001" in raised.value.fix
    assert dict(os.environ) == before


@pytest.mark.slow
def test_a_port_where_something_else_listens_is_said_within_seconds(silent: int) -> None:
    start = time.monotonic()
    with (
        Cluster(f"ray://127.0.0.1:{silent}") as cluster,
        pytest.raises(ClusterError, match="does not answer as Ray's client server"),
    ):
        _ = cluster.connection
    assert time.monotonic() - start < 30


def refusing(times: int, said: str) -> tuple[SimpleNamespace, list[str]]:
    """A Ray that refuses to connect so many times, and the addresses that it was asked for."""
    asked: list[str] = []

    def connect(address: str, **_: object) -> None:
        asked.append(address)
        if len(asked) <= times:
            raise ConnectionError(f"Initialization failure from server:\n{said}")

    return SimpleNamespace(util=SimpleNamespace(connect=connect)), asked


@pytest.mark.parametrize("said", NOT_STARTED)
def test_a_head_that_started_no_server_for_a_client_is_asked_once_more(said: str) -> None:
    ray, asked = refusing(1, said)
    connect(ray, Address.of("ray://head:10001"))
    assert asked == ["head:10001"] * 2


@pytest.mark.parametrize(
    ("said", "times", "case"),
    [
        (NOT_STARTED[0], 2, "twice failed to start a server for this command"),
        ("Version mismatch", 1, "Ray or Python has another version there"),
        ("ray client connection timeout", 1, "does not answer as Ray's client server"),
    ],
)
def test_a_head_that_refuses_is_said_in_words(said: str, times: int, case: str) -> None:
    ray, asked = refusing(9, said)
    with pytest.raises(ClusterError, match=case):
        connect(ray, Address.of("ray://head:10001"))
    assert len(asked) == times


def test_a_missing_ray_says_its_pip_line(monkeypatch: pytest.MonkeyPatch) -> None:
    from zoo.cluster import ray_library

    monkeypatch.setattr(ray_library, "find_spec", lambda _: None)
    monkeypatch.setattr(ray_library, "optional", _missing)
    with pytest.raises(MissingExtra, match=r"pip install 'detzoo\[ray\]'"):
        Cluster("local")


def _missing(package: str, *, wanted_for: str, extra: str | None = None) -> None:
    raise MissingExtra(
        f"{wanted_for} can't be had.", f"No {package}.", f"pip install 'detzoo[{extra}]'"
    )


def test_the_files_of_a_killed_command_are_removed_and_those_of_a_running_one_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    names = [
        f"{FOLDER_PREFIX}{ended.pid}-a",
        f"{FOLDER_PREFIX}{os.getpid()}-b",
        f"{FOLDER_PREFIX}other",
        "c",
    ]
    for name in names:
        (tmp_path / name).mkdir()
    remove_stale_folders()
    assert {path.name for path in tmp_path.iterdir()} == set(names[1:])


@pytest.mark.parametrize(
    ("text", "least"), [("local,workers=64", 64), ("local,workers=20,threads=4", 80)]
)
def test_an_own_cluster_lends_as_many_processors_as_are_asked_for(text: str, least: int) -> None:
    assert processors(Address.of(text)) == least
