"""Requests made to hurt: each is answered in time and in the words of the house, or closed; the
server is as it was afterwards."""

from __future__ import annotations

import gc
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

import httpx2
import pytest

from tests.hostile.hostile import CLOSED, RECEIVE, TOKEN, Hostile, http
from tests.hostile.hostile_images import MOST_PIXELS, good
from tests.hostile.hostile_network import Network
from tests.hostile.hostile_requests import contents, of_urls
from tests.hostile.hostile_streams import streams
from tests.serve.conftest import Flat
from zoo.images import Limits
from zoo.labels import space_of
from zoo.serve import Options, Server

PATIENCE = 10.0  # seconds, after which a request hangs
CLIENTS = 24
LEAST = 500
MORE_OBJECTS = 2000  # that a second round may leave: three a request
MORE_KILOBYTES = 60_000  # the allocator keeps what many requests at once have taken
REQUESTS = contents() + streams()
# What stands in an answer of the server's own words, whatever was sent.
NEVER = (b"Traceback", b"site-packages", b"/zoo/", b"root:", TOKEN.encode())


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("ZOO_OFFLINE", raising=False)
        made = Network(patch)
        yield made
        made.close()


@pytest.fixture(scope="module")
def server(network: Network) -> Iterator[Server]:
    limits = Limits(pixels=MOST_PIXELS, seconds=2, download=500_000)
    options = Options(
        max_megabytes=1, receive=RECEIVE, timeout=8, allow_urls=True, tokens=(TOKEN,), limits=limits
    )
    space = space_of(["cat", "dog"])
    with Server([Flat(space), Flat(space, name="other.toy")], port=0, options=options) as running:
        yield running


@dataclass
class Answer:
    """An answer as it stands on the wire."""

    status: int
    headers: dict[str, str]
    body: bytes


def answers_in(data: bytes, *, is_head: bool = False) -> list[Answer]:
    """The answers, one after the other; the interim ones are left out."""
    answers: list[Answer] = []
    while data:
        head, end, data = data.partition(b"\r\n\r\n")
        assert end, f"half of an answer: {head[:200]!r}"
        first, *lines = head.decode("latin-1").split("\r\n")
        assert first.startswith("HTTP/1.1 "), first
        headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in lines)
        }
        status = int(first.split(" ")[1])
        if status == 100:
            continue
        length = 0 if is_head else int(headers["content-length"])
        assert len(data) >= length, "a body is cut short"
        answers.append(Answer(status, headers, data[:length]))
        data = data[length:]
    return answers


def is_whole(data: bytes, hostile: Hostile) -> bool:
    """Whether as many answers have come as are awaited; what comes after the last is left."""
    with suppress(AssertionError):
        return len(answers_in(data, is_head=hostile.is_head)) >= hostile.answers
    return False


def sent(server: Server, hostile: Hostile) -> bytes:
    """What comes back until the server closes, or `answers` are there."""
    place = ("127.0.0.1", int(server.url.rpartition(":")[2]))
    back = bytearray()
    with socket.create_connection(place, timeout=PATIENCE) as connection, suppress(ConnectionError):
        for part in hostile.parts:
            with suppress(ConnectionError):  # it has answered already, and closed
                connection.sendall(part)
            time.sleep(hostile.pause)
        while not (hostile.leaves or is_whole(back, hostile)) and (data := connection.recv(2**16)):
            back += data
    return bytes(back)


def checked(hostile: Hostile, data: bytes) -> str | None:
    """What is wrong with the answers to a request."""
    try:
        answers = answers_in(data, is_head=hostile.is_head)
    except AssertionError as error:
        return f"{hostile.name}: {error}"
    statuses = [answer.status for answer in answers]
    if not answers:
        return None if CLOSED in hostile.statuses else f"{hostile.name}: closed without an answer"
    if set(statuses) - set(hostile.statuses) or len(answers) < hostile.answers:
        return f"{hostile.name}: {statuses[:5]}, {answers[0].body[:300]!r}"
    return next(
        (f"{hostile.name}: {bad}" for one in answers if (bad := defect(one, hostile))), None
    )


def defect(answer: Answer, hostile: Hostile) -> str | None:
    """What is not of the house in one answer."""
    if any(secret in answer.body for secret in NEVER):
        return f"it tells what it must not: {answer.body[:300]!r}"
    if "x-injected" in answer.headers or "x-request-id" not in answer.headers:
        return f"headers: {answer.headers}"
    if hostile.is_head or answer.status < 400:
        return None
    body = json.loads(answer.body)
    if set(body) != {"error", "request_id"} or set(body["error"]) != {
        "kind",
        "what",
        "why",
        "next",
    }:
        return f"not three parts and an id: {body}"
    if not all(body["error"].values()) or body["request_id"] != answer.headers["x-request-id"]:
        return f"a part is empty, or the id is another: {body}"
    wanted = {401: "www-authenticate", 405: "allow", 503: "retry-after"}.get(answer.status)
    return None if wanted is None or wanted in answer.headers else f"without {wanted}"


def test_there_are_as_many_as_promised(network: Network) -> None:
    names = [hostile.name for hostile in REQUESTS + of_urls(network.urls())]
    assert len(names) >= LEAST
    assert contents() + streams() == REQUESTS


def held(server: Server) -> dict[str, int]:
    """What the process holds: open files, threads, memory, objects, and requests by its own
    account."""
    with httpx2.Client(headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        text = client.get(f"{server.url}/metrics").text
    gauges = ("zoo_requests_inside", "zoo_body_bytes", "zoo_pixel_bytes")
    lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    with open("/proc/self/statm") as file:
        pages = int(file.read().split()[1])
    gc.collect()
    return {
        "files": len(os.listdir("/proc/self/fd")),
        "threads": threading.active_count(),
        "objects": len(gc.get_objects()),
        "kilobytes": pages * os.sysconf("SC_PAGESIZE") // 1000,
        **{name: int(float(lines[name])) for name in gauges},
    }


def settled(server: Server, *, files: int) -> dict[str, int]:
    """What it holds once connections are closed."""
    until = time.monotonic() + PATIENCE
    while (now := held(server))["files"] > files and time.monotonic() < until:
        time.sleep(0.05)
    return now


def test_none_hangs_none_hurts_and_nothing_is_left(server: Server, network: Network) -> None:
    fine = Hostile("", (http(good()),), (200,))
    wanted = answers_in(sent(server, fine))[0].body
    requests = [*of_urls(network.urls()), *REQUESTS]
    requests.sort(key=lambda hostile: -hostile.pause)  # the slow ones wait next to the others

    def tried(hostile: Hostile) -> str | None:
        try:
            return checked(hostile, sent(server, hostile))
        except TimeoutError:
            return f"{hostile.name}: it hangs"

    with ThreadPoolExecutor(CLIENTS) as pool:
        first = held(server)
        wrong = [case for case in pool.map(tried, requests) if case]
        before = settled(server, files=first["files"])
        again = [hostile for hostile in requests if not hostile.pause]
        wrong += [case for case in pool.map(tried, again) if case]
        after = settled(server, files=before["files"])
    assert wrong == []
    assert network.inside == 0
    assert after["files"] <= before["files"]
    assert after["threads"] <= before["threads"]
    assert after["objects"] - before["objects"] < MORE_OBJECTS
    assert after["kilobytes"] - before["kilobytes"] < MORE_KILOBYTES
    gauges = ("zoo_requests_inside", "zoo_body_bytes", "zoo_pixel_bytes")
    assert [after[name] for name in gauges] == [0, 0, 0]
    [answer] = answers_in(sent(server, fine))
    assert (answer.status, answer.body) == (200, wanted)
    assert b'"score": 0.78431374' in wanted
