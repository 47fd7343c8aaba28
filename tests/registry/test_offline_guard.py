"""Connections of a plugin's code while the network is switched off."""

import socket
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from zoo.errors import OfflineError
from zoo.registry.offline_guard import refuse_connections
from zoo.registry.plugin_calls import contain
from zoo.registry.plugin_messages import Conduct

Told = list[tuple[str, str]]


def offline(*, concerns: Callable[[], bool]) -> AbstractContextManager[None]:
    return refuse_connections("ZOO_OFFLINE", "plugin acme", concerns=concerns, tell=lambda *_: None)


def connect() -> None:
    with socket.socket() as ours:
        ours.settimeout(0.2)
        ours.connect(("127.0.0.1", 9))


def test_a_connection_is_refused_and_told_by_its_host() -> None:
    told: Told = []
    with (
        pytest.raises(OfflineError, match=r"The plugin acme wanted to connect to 127\.0\.0\.1"),
        refuse_connections(
            "ZOO_OFFLINE",
            "plugin acme",
            concerns=lambda: True,
            tell=lambda *said: told.append(said),
        ),
    ):
        connect()
    assert told == [("connects to 127.0.0.1", "ZOO_OFFLINE refuses it.")]


def test_it_is_tried_if_the_thread_is_anothers() -> None:
    with (
        refuse_connections(
            "ZOO_OFFLINE", "plugin acme", concerns=lambda: False, tell=lambda *_: None
        ),
        pytest.raises(ConnectionError),
    ):
        connect()


@pytest.mark.parametrize("offline", ["0", "perhaps"])
def test_it_is_tried_if_the_network_is_on_or_the_setting_means_nothing(
    monkeypatch: pytest.MonkeyPatch, offline: str
) -> None:
    monkeypatch.setenv("ZOO_OFFLINE", offline)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    with contain(Conduct("plugin acme", "at import")), pytest.raises(ConnectionError):
        connect()


def test_processes_of_this_machine_may_talk() -> None:
    ours, theirs = socket.socketpair()
    with (
        ours,
        theirs,
        refuse_connections(
            "ZOO_OFFLINE", "plugin acme", concerns=lambda: True, tell=lambda *_: None
        ),
    ):
        ours.sendall(b"x")
        assert theirs.recv(1) == b"x"


def test_it_ends_with_the_block() -> None:
    with refuse_connections(
        "ZOO_OFFLINE", "plugin acme", concerns=lambda: True, tell=lambda *_: None
    ):
        pass
    with pytest.raises(ConnectionError):
        connect()
