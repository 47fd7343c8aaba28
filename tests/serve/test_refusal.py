"""An error's status says whose fault it is; its body has its three parts."""

from __future__ import annotations

import json

import pytest

from zoo import errors
from zoo.errors import ZooError
from zoo.serve.refusal import Refusal, body_of, busy, kind_of, status_of

PARTS = ("What failed.", "Why.", "What to type.")
OF_THE_CLIENT = {
    "NameNotFound": 404,
    "NameAmbiguous": 404,
    "ImageError": 422,
    "VideoError": 422,
    "UsageError": 422,
}
KINDS = [
    kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, ZooError)
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_whatever_is_not_the_client_s_fault_is_the_server_s(kind: type[ZooError]) -> None:
    status = OF_THE_CLIENT.get(kind.__name__, 500)
    assert status_of(kind(*PARTS)) == status
    assert (kind_of(kind(*PARTS)) == "ServerError") == (status == 500)


def test_a_refusal_has_the_status_it_was_given() -> None:
    refusal = Refusal(418, *PARTS, headers={"X": "y"})
    assert (status_of(refusal), refusal.headers) == (418, {"X": "y"})
    assert Refusal(400, *PARTS).headers == {}


def test_who_comes_too_early_is_told_when_to_come_again() -> None:
    refusal = busy("The image was not taken.", "Others wait.")
    assert status_of(refusal) == 503
    assert int(refusal.headers["Retry-After"]) >= 1
    assert "Retry-After" in refusal.fix


def test_a_body_has_the_parts_in_the_words_of_the_command_line() -> None:
    error = errors.ImageError(*PARTS, fix_cli="zoo serve --limit pixels=1M")
    body = body_of(error, "an-id")
    assert body.endswith(b"}\n")
    assert json.loads(body) == {
        "error": {
            "kind": "ImageError",
            "what": "What failed.",
            "why": "Why.",
            "next": "zoo serve --limit pixels=1M",
        },
        "request_id": "an-id",
    }


@pytest.mark.parametrize("text", ['"', "\n\r\x00\x1b[2J", "\ud800", "\u202e\u2028", "ä" * 9000])
def test_hostile_text_stays_inside_its_part(text: str) -> None:
    body = body_of(Refusal(400, text, text, text), "an-id")
    assert body.isascii()
    assert len(body) < 50_000
    assert body.count(b"\n") == 1
    assert set(json.loads(body)["error"]) == {"kind", "what", "why", "next"}
