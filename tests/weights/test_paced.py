"""Bodies that the Hub's client receives keep a pace, in the thread that asks for it alone."""

import threading
from collections.abc import Iterator

import httpx2
import pytest
from huggingface_hub import get_session

from zoo.weights import paced as module
from zoo.weights.paced import enforce_pace


@pytest.fixture
def pieces(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The lengths of the pieces that were told to a pace."""
    told: list[int] = []

    class Pace:
        def add(self, count: int) -> None:
            told.append(count)

    monkeypatch.setattr(module, "Pace", Pace)
    return told


class Body(httpx2.SyncByteStream):
    closed = False

    def __iter__(self) -> Iterator[bytes]:
        yield from (b"abc", b"de")

    def close(self) -> None:
        self.closed = True


def received(body: Body) -> bytes:
    """The body of a response as the client's hooks leave it."""
    response = httpx2.Response(200, stream=body)
    for hook in get_session().event_hooks["response"]:
        hook(response)
    stream = response.stream
    assert isinstance(stream, httpx2.SyncByteStream)
    content = b"".join(stream)
    stream.close()
    return content


def test_every_piece_of_a_body_is_told_and_nothing_is_changed(pieces: list[int]) -> None:
    body = Body()
    with enforce_pace():
        assert received(body) == b"abcde"
    assert pieces == [3, 2]
    assert body.closed


def test_other_threads_and_later_requests_are_not_watched(pieces: list[int]) -> None:
    with enforce_pace():
        thread = threading.Thread(target=received, args=(Body(),))
        thread.start()
        thread.join()
    received(Body())
    assert pieces == []


def test_hooks_that_were_replaced_meanwhile_are_no_error() -> None:
    session = get_session()
    before = session.event_hooks
    with enforce_pace():
        session.event_hooks["response"].clear()
    session.event_hooks = before
