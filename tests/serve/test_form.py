"""Forms: whole ones are read to the byte, broken ones are refused; none raises anything else."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.serve.form import parse_form
from zoo.serve.refusal import Refusal

KIND = "multipart/form-data; boundary=b"


def form(data: bytes, head: bytes = b'form-data; name="image"; filename="a.png"') -> bytes:
    return b"--b\r\nContent-Disposition: " + head + b"\r\n\r\n" + data + b"\r\n--b--\r\n"


@given(st.binary(max_size=300))
def test_bytes_come_through(data: bytes) -> None:
    if b"\r\n--b" not in b"\r\n" + data:
        [part] = parse_form(form(data), KIND)
        assert (part.name, part.file, part.data) == ("image", "a.png", data)


def test_fields_are_in_order() -> None:
    text = form(b"x", b'form-data; name="other"').removesuffix(b"--b--\r\n")
    parts = parse_form(text + form(b"y"), KIND)
    assert [(part.name, part.file, part.data) for part in parts] == [
        ("other", None, b"x"),
        ("image", "a.png", b"y"),
    ]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (form(b"x"), "multipart/form-data"),
        (form(b"x"), "multipart/form-data; boundary=other"),
        (form(b"x"), f"multipart/form-data; boundary={'b' * 500}"),
        (form(b"x")[:-4], KIND),
        (form(b"x")[:30], KIND),
        (b"", KIND),
        (form(b"x", b"attachment"), KIND),
        (form(b"x", b"form-data"), KIND),
        (form(b"x", b'form-data; name="i"\r\nContent-Transfer-Encoding: base64'), KIND),
        (form(b"x", b'form-data; name="i"\r\nX: ' + b"y" * 10_000), KIND),
        (form(b"").removesuffix(b"--b--\r\n") * 20 + form(b""), KIND),
    ],
)
def test_what_is_broken_is_refused(body: bytes, kind: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse_form(body, kind)
    assert refused.value.status == 400


@given(st.binary(max_size=200), st.integers(0, 80))
def test_garbage_raises_nothing_else(garbage: bytes, place: int) -> None:
    whole = form(b"data")
    for body in (garbage, whole[:place] + garbage + whole[place:]):
        with suppress(Refusal):
            parse_form(body, KIND)
