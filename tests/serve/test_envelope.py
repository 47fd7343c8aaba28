"""Tokens, and answers whatever goes wrong inside."""

from __future__ import annotations

from collections.abc import Callable

import httpx2
import pytest

from tests.serve.conftest import TOKEN
from zoo.serve import Server


@pytest.fixture(scope="module")
def guarded(flat: Callable) -> Server:
    from zoo.serve import Options

    with Server([flat()], port=0, options=Options(tokens=("x" * 16, TOKEN))) as running:
        yield running


@pytest.mark.parametrize("path", ["/v1/models", "/metrics", "/v1/detect", "/v1/nothing"])
@pytest.mark.parametrize(
    "sent", [None, "", "Bearer", f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN, "Bearer ä"]
)
def test_without_a_right_token_nothing_is_told(
    path: str, sent: str | None, guarded: Server
) -> None:
    headers = {} if sent is None else {"Authorization": sent.encode()}
    answer = httpx2.request("POST", guarded.url + path, headers=headers, content=b"x")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert TOKEN not in answer.text


def test_any_of_the_tokens_opens_and_states_need_none(guarded: Server) -> None:
    for token in ("x" * 16, TOKEN):
        headers = {"Authorization": f"bearer {token}"}
        assert httpx2.get(f"{guarded.url}/v1/models", headers=headers).status_code == 200
    for path in ("/", "/healthz", "/readyz", "/openapi.json"):
        assert httpx2.get(guarded.url + path).status_code == 200
    document = httpx2.get(f"{guarded.url}/openapi.json").json()
    assert "401" in document["paths"]["/v1/detect"]["post"]["responses"]
    assert document["paths"]["/v1/models"]["get"]["security"]


def test_a_defect_of_the_server_is_an_error_in_three_parts(
    serving: Callable, flat: Callable, monkeypatch: pytest.MonkeyPatch, caplog: object
) -> None:
    server = serving(flat())

    def fail() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(server.models, "facts", fail)
    answer = httpx2.get(f"{server.url}/v1/models")
    assert answer.status_code == 500
    assert answer.json()["error"]["why"] == "The server is at fault."


def test_headers_of_too_many_bytes_are_refused(http: httpx2.Client) -> None:
    answer = http.get("/healthz", headers={"X": "y" * 40_000})
    assert answer.status_code == 431
