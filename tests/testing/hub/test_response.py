"""Answers: JSON, ranges and refusals, without a socket."""

import json

import pytest

from zoo.testing.hub.response import Response, refusal

WHOLE = Response(b"0123456789", {"ETag": '"a"'})


def test_an_answer_of_the_api_is_json() -> None:
    answer = Response.json({"a": 1}, status=201, headers={"X-Own": "yes"})
    assert json.loads(answer.body) == {"a": 1}
    assert answer.status == 201
    assert dict(answer.headers) == {"Content-Type": "application/json", "X-Own": "yes"}


@pytest.mark.parametrize(
    ("asked", "status", "body", "range_"),
    [
        ("bytes=3-", 206, b"3456789", "bytes 3-9/10"),
        ("bytes=0-0", 206, b"0", "bytes 0-0/10"),
        ("bytes=8-99", 206, b"89", "bytes 8-9/10"),
        ("bytes=10-", 416, b"", "bytes */10"),
        ("bytes=-3", 200, b"0123456789", None),
        ("lines=1-2", 200, b"0123456789", None),
    ],
)
def test_a_range_is_cut_out(asked: str, status: int, body: bytes, range_: str | None) -> None:
    part = WHOLE.requested_range({"Range": asked})
    assert (part.status, part.body, part.headers.get("Content-Range")) == (status, body, range_)
    assert part.headers["ETag"] == '"a"'


def test_a_range_of_another_version_is_the_whole() -> None:
    assert WHOLE.requested_range({"Range": "bytes=3-", "If-Range": '"b"'}) is WHOLE
    assert WHOLE.requested_range({"Range": "bytes=3-", "If-Range": '"a"'}).status == 206
    assert WHOLE.requested_range({}) is WHOLE


def test_an_error_has_no_range() -> None:
    error = refusal(404, None, "Not there")
    assert error.requested_range({"Range": "bytes=1-"}) is error


def test_a_refusal_has_the_hub_s_headers_as_far_as_they_are_known() -> None:
    answer = refusal(403, "GatedRepo", "Ask first", commit="abc", retry_after=7)
    assert json.loads(answer.body) == {"error": "Ask first"}
    assert answer.headers["X-Error-Code"] == "GatedRepo"
    assert answer.headers["X-Repo-Commit"] == "abc"
    assert answer.headers["Retry-After"] == "7"
    assert "X-Error-Code" not in refusal(404, None, "Not there").headers
