"""Every fault is what a client sees: bodies that break off, drip, are wrong or never begin."""

import http.client
import socket
from urllib.parse import urlsplit

import httpx2
import pytest

from zoo.testing import Fault, LoopbackHub

DATA = bytes(range(256)) * 400


def test_a_truncated_body_promises_more_than_it_sends(hub: LoopbackHub) -> None:
    connection = http.client.HTTPConnection(
        "127.0.0.1", urlsplit(hub.add_file("net.pth", DATA)).port
    )
    hub.misbehave("/net.pth", Fault.truncate(at=0.25))
    connection.request("GET", "/net.pth")
    answer = connection.getresponse()
    assert answer.headers["Content-Length"] == str(len(DATA))
    with pytest.raises(http.client.IncompleteRead) as error:
        answer.read()
    assert error.value.partial == DATA[: len(DATA) // 4]
    connection.close()


def test_a_wrong_byte_is_one_byte(hub: LoopbackHub, client: httpx2.Client) -> None:
    url = hub.add_file("net.pth", DATA)
    hub.misbehave("/net.pth", Fault.wrong_byte())
    wrong = client.get(url).content
    assert [
        at for at, (ours, theirs) in enumerate(zip(wrong, DATA, strict=True)) if ours != theirs
    ] == [len(DATA) // 2]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.truncate(), httpx2.RemoteProtocolError),
        (Fault.stall(), httpx2.ReadTimeout),
        (Fault.reset(), httpx2.ReadError),
    ],
)
def test_a_body_can_break_off_in_three_ways(
    hub: LoopbackHub, client: httpx2.Client, fault: Fault, error: type[Exception]
) -> None:
    url = hub.add_file("net.pth", DATA)
    hub.misbehave("/net.pth", fault)
    with pytest.raises(error):
        client.get(url)
    assert client.get(url).content == DATA


def test_a_status_has_the_headers_of_the_hub(hub: LoopbackHub, client: httpx2.Client) -> None:
    url = hub.add_file("net.pth", DATA)
    hub.misbehave("/net.pth", Fault.status(429, error="TooMany", retry_after=7))
    answer = client.get(url)
    assert (answer.status_code, answer.headers["Retry-After"], answer.headers["X-Error-Code"]) == (
        429,
        "7",
        "TooMany",
    )


def test_a_slow_body_is_right(hub: LoopbackHub, client: httpx2.Client) -> None:
    url = hub.add_file("net.pth", DATA)
    hub.misbehave("/net.pth", Fault.slow(1_000_000))
    assert client.get(url).content == DATA


def test_a_drip_sends_the_right_body_byte_by_byte(hub: LoopbackHub, client: httpx2.Client) -> None:
    url = hub.add_file("small.pth", b"abc")
    hub.misbehave("/small.pth", Fault.drip())
    with client.stream("GET", url) as answer:
        assert list(answer.iter_raw()) == [b"a", b"b", b"c"]


@pytest.mark.parametrize(
    ("fault", "begin", "again"),
    [
        (Fault.drip_headers(), b"HTTP/1.1 200 OK\r\n", b"X-Drip: 1\r\n"),
        (Fault.interim(), b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
)
def test_an_answer_may_never_begin(
    hub: LoopbackHub, fault: Fault, begin: bytes, again: bytes
) -> None:
    url = urlsplit(hub.add_file("small.pth", b"abc"))
    hub.misbehave("/small.pth", fault)
    with socket.create_connection(("127.0.0.1", int(url.port or 0)), timeout=10) as connection:
        connection.sendall(b"GET /small.pth HTTP/1.1\r\nHost: hub\r\n\r\n")
        received = b""
        while len(received) < len(begin + 3 * again):
            received += connection.recv(100)
    assert received.startswith(begin + 3 * again)


def test_an_endless_body_has_no_length_and_goes_on(hub: LoopbackHub, client: httpx2.Client) -> None:
    url = hub.add_file("small.pth", b"abc")
    hub.misbehave("/small.pth", Fault.endless())
    with client.stream("GET", url) as answer:
        assert "Content-Length" not in answer.headers
        received = b""
        for piece in answer.iter_raw():
            received += piece
            if len(received) > 10_000:
                break
    assert received.startswith(b"abc\0\0")


def test_a_fault_strikes_at_the_share_that_it_says() -> None:
    assert (Fault.truncate(0.25).at, Fault.stall().at, Fault.wrong_byte(1).at) == (0.25, 0.5, 1)
    assert Fault.status(503) == Fault("status", code=503)
