"""Slow senders and what is not HTTP: told so, and closed in time."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from zoo.serve import Server

HEAD = b"POST /v1/detect HTTP/1.1\r\nHost: a\r\n"


def connected(server: Server) -> socket.socket:
    place = urlsplit(server.url)
    return socket.create_connection((place.hostname or "", place.port or 0), timeout=20)


def answer_to(server: Server, *parts: bytes, pause: float = 0.0) -> bytes:
    """Everything that comes back until the server closes."""
    with connected(server) as sock:
        try:
            for part in parts:
                sock.sendall(part)
                time.sleep(pause)
            found = b""
            while data := sock.recv(65536):
                found += data
            return found
        except (ConnectionResetError, BrokenPipeError):
            return b"closed"


@pytest.fixture
def impatient(serving: Callable, flat: Callable) -> Server:
    server: Server = serving(flat(), receive=0.4)
    return server


@pytest.mark.parametrize(
    "sent",
    [b"", b"POST", HEAD, HEAD + b"Content-Length: 10\r\n\r\nabc"],
    ids=["nothing", "a word", "half of the headers", "half of the body"],
)
def test_who_does_not_send_on_is_told_so_and_closed(sent: bytes, impatient: Server) -> None:
    began = time.monotonic()
    assert answer_to(impatient, sent).startswith(b"HTTP/1.1 408 ")
    assert time.monotonic() - began < 5


def test_a_drip_does_not_hold_a_connection(impatient: Server) -> None:
    drip = [HEAD, *[b"X: y\r\n"] * 40]
    found = answer_to(impatient, *drip, pause=0.05)
    assert found == b"closed" or b" 408 " in found
    body = [HEAD + b"Content-Length: 900\r\n\r\n", *[b"x"] * 40]
    found = answer_to(impatient, *body, pause=0.05)
    assert found == b"closed" or b" 408 " in found


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
        HEAD + b"Transfer-Encoding: gzip\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        HEAD + b"X: " + b"y" * 100_000 + b"\r\n\r\n",
        HEAD + b"A B: c\r\n\r\n",
    ],
)
def test_what_is_not_http_is_refused(sent: bytes, impatient: Server) -> None:
    found = answer_to(impatient, sent)
    assert found == b"closed" or found.split(b" ")[1] in (b"400", b"431", b"501")
    assert b"500" not in found[:20]


def test_only_so_many_connections_are_open(serving: Callable, flat: Callable) -> None:
    server = serving(flat(), connections=2, receive=5)
    with connected(server) as first, connected(server):
        first.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b" 200 " in first.recv(1000)
        assert answer_to(server).startswith(b"HTTP/1.1 503 ")
