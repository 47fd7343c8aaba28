"""What is in a body: whole, or refused with the status that fits."""

from __future__ import annotations

import base64
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.serve.refusal import Refusal
from zoo.serve.upload import parse

JSON = "application/json"


@given(st.binary(min_size=1, max_size=100))
def test_base64_comes_through(data: bytes) -> None:
    text = json.dumps({"image": base64.b64encode(data).decode(), "file": "a.png"})
    upload = parse(text.encode(), f"{JSON}; charset=utf-8")
    assert (upload.data, upload.url, upload.file) == (data, None, "a.png")


def test_a_url_is_not_looked_at() -> None:
    assert parse(b'{"url": "http://a/"}', JSON).url == "http://a/"


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"x", "text/plain", 415),
        (b"", "image/png", 422),
        (b"", JSON, 400),
        (b"\xff", JSON, 400),
        (b"[" * 100_000, JSON, 400),
        (b"[]", JSON, 422),
        (b"{}", JSON, 422),
        (b'{"image": 1}', JSON, 422),
        (b'{"image": "YQ==", "other": 1}', JSON, 422),
        (b'{"image": "YQ==", "url": "http://a/"}', JSON, 422),
        (b'{"image": ""}', JSON, 422),
        (b'{"image": "a"}', JSON, 422),
        ('{"image": "ä"}'.encode(), JSON, 422),
        (b'{"image": "YQ==", "file": "' + b"n" * 2000 + b'"}', JSON, 422),
    ],
)
def test_what_is_no_image_is_refused(body: bytes, kind: str, status: int) -> None:
    with pytest.raises(Refusal) as refused:
        parse(body, kind)
    assert refused.value.status == status


@given(st.text(max_size=60), st.sampled_from(["image", "url", "file"]))
def test_any_text_is_taken_or_refused(text: str, field: str) -> None:
    with suppress(Refusal):
        assert parse(json.dumps({field: text}).encode(), JSON)
