"""How long a server is believed in."""

import httpx2
import pytest

from zoo.errors import SourceError
from zoo.weights.retry import (
    RetryPolicy,
    TransientError,
    connection_error,
    status_error,
    with_retries,
)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(status: int) -> None:
    assert isinstance(status_error("https://x", status), TransientError)


@pytest.mark.parametrize(
    ("status", "fix"),
    [
        (401, "Log in"),
        (403, "Log in"),
        (404, "Check the address"),
        (410, "moved"),
        (501, "later"),
        (599, "later"),
    ],
)
def test_what_stays_is_an_error_with_a_fix(status: int, fix: str) -> None:
    why = status_error("https://x", status)
    assert isinstance(why, SourceError)
    assert str(status) in why.case
    assert fix in why.fix


@pytest.mark.parametrize(
    ("header", "wait"),
    [("7", 7.0), (None, None), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("-1", None)],
)
def test_a_wait_is_taken_in_seconds_only(header: str | None, wait: float | None) -> None:
    why = status_error("https://x", 429, retry_after=header)
    assert isinstance(why, TransientError)
    assert why.wait == wait


@pytest.mark.parametrize(
    ("why", "said"),
    [
        (
            httpx2.ConnectError("refused", request=httpx2.Request("GET", "https://host/x")),
            "no connection to host",
        ),
        (
            httpx2.ReadTimeout("", request=httpx2.Request("GET", "https://host/x")),
            "host fell silent",
        ),
        (
            httpx2.RemoteProtocolError("", request=httpx2.Request("GET", "https://host/x")),
            "ended its answer early",
        ),
        (httpx2.ReadError(""), "the server broke off"),
    ],
)
def test_a_broken_connection_is_put_into_words(why: httpx2.RequestError, said: str) -> None:
    assert said in connection_error(why).case


def test_there_are_as_many_tries_as_set_and_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_RETRIES", "3")
    tries = []

    def attempt() -> None:
        tries.append(1)
        raise TransientError("Not now.", wait=0)

    with pytest.raises(SourceError, match="Not now"):
        with_retries(attempt, "https://x")
    assert len(tries) == 4


def test_real_progress_renews_the_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_RETRIES", "1")
    patience = RetryPolicy("https://x")
    for _ in range(3):
        patience.wait(TransientError("Not now.", wait=0))
        patience.renew()
    patience.wait(TransientError("Not now.", wait=0))
    with pytest.raises(SourceError):
        patience.wait(TransientError("Not now.", wait=0))
