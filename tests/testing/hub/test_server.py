"""The server under the Hub: it answers on one port, notes every request, and stops at once."""

import threading
from collections.abc import Mapping

import httpx2
import pytest

from zoo.testing import Fault, LoopbackHub
from zoo.testing.hub.response import Response
from zoo.testing.hub.server import Request, Server

DATA = bytes(range(256)) * 400


def test_it_stops_though_a_client_is_still_waiting(client: httpx2.Client) -> None:
    with LoopbackHub() as hub:
        url = hub.add_file("net.pth", DATA)
        hub.misbehave("/net.pth", Fault.stall())
        stream = client.stream("GET", url)
        answer = stream.__enter__()
    with pytest.raises(httpx2.RemoteProtocolError):
        answer.read()
    stream.__exit__(None, None, None)


def test_before_it_runs_it_has_no_address() -> None:
    with pytest.raises(RuntimeError, match="with"):
        LoopbackHub().endpoint  # noqa: B018


def test_every_request_is_noted_before_it_is_answered(client: httpx2.Client) -> None:
    noted: list[Request] = []
    asked: list[tuple[str, str]] = []

    def respond(method: str, path: str, _: Mapping[str, str]) -> tuple[Response, None]:
        asked.append((method, path))
        return Response(b"body", {"X-Own": "yes"}), None

    server = Server(respond, noted.append)
    server.start()
    try:
        url = f"http://127.0.0.1:{server.port}/a%20b?c=d"
        answer = client.get(url, headers={"Range": "bytes=2-"})
        assert (answer.status_code, answer.content) == (206, b"dy")
        head = client.head(url)
        assert (head.content, head.headers["Content-Length"]) == (b"", "4")
    finally:
        server.stop()
    assert asked == [("GET", "/a b"), ("HEAD", "/a b")]
    assert [(one.method, one.status, one.sent) for one in noted] == [
        ("GET", 206, 2),
        ("HEAD", 200, 0),
    ]
    assert noted[0].headers["Range"] == "bytes=2-"


def test_no_thread_is_left_when_it_has_stopped(client: httpx2.Client) -> None:
    before = threading.active_count()
    server = Server(lambda *_: (Response(b"", {}), None), lambda _: None)
    server.start()
    client.get(f"http://127.0.0.1:{server.port}/")
    server.stop()
    assert threading.active_count() <= before


def test_a_server_that_never_ran_stops_without_a_word() -> None:
    server = Server(lambda *_: (Response(b"", {}), None), lambda _: None)
    server.stop()
    with pytest.raises(RuntimeError, match="not running"):
        _ = server.port
