"""Text from outside, made safe to show."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.printable import (
    MAX_LINE_LETTERS,
    printable,
    printable_json,
    printable_lines,
    without_password,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("street.jpg", "street.jpg"),
        ("停车标志 señal", "停车标志 señal"),
        ("a\nb\r\tc\u2028d\u00a0e", "a b  c d e"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("photo\u202egpj.exe", "photo\\u202egpj.exe"),
        ("\x9b2J\x07", "\\x9b2J\\x07"),
        ("caf\udce9.jpg", "caf\\xe9.jpg"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("\U000e0001", "\\U000e0001"),
    ],
)
def test_what_a_terminal_would_obey_is_shown_instead(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text())
def test_whatever_it_is_one_line_without_controls_comes_out(text: str) -> None:
    shown = printable(text)
    assert shown.replace("\u200c", "").replace("\u200d", "").isprintable()
    assert printable(shown) == shown


def test_the_middle_of_a_long_text_is_left_out() -> None:
    shown = printable("a" * 10**6 + "end")
    assert len(shown) <= MAX_LINE_LETTERS
    assert shown.endswith("aend")


def test_lines_stay_lines_and_a_long_list_is_counted() -> None:
    assert printable_lines(["a", "  b\nc"]) == "a\n  b c"
    assert printable_lines([str(number) for number in range(2040)]).endswith("39\n… and 2,000 more")


def test_json_escapes_what_json_may_leave() -> None:
    assert printable_json('["\x85\u2066", "é"]') == '["\\u0085\\u2066", "é"]'


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rtsp://admin:s3cret@127.0.0.1:9/cam", "rtsp://***@127.0.0.1:9/cam"),
        ("HTTP://s3cret@host/x.png?size=2", "HTTP://***@host/x.png?size=2"),
        ("https://admin:p@s3cret@host", "https://***@host"),
        ("rtsp://admin:s3cret/a@host/cam", "rtsp://***@host/cam"),
        ("rtsp://admin:#s3cret@[::1]:554/cam", "rtsp://***@[::1]:554/cam"),
        ("rtsp:/admin:s3cret@host/cam", "rtsp:/***@host/cam"),  # as pathlib writes it
        ("http://admin:s3\ncret@host", "http://***@host"),
    ],
)
def test_a_password_in_an_address_is_not_shown(address: str, shown: str) -> None:
    assert without_password(address) == shown
    assert without_password(shown) == shown


@pytest.mark.parametrize(
    "address",
    [
        *("street@2x.png", "/photos/a:b@c.png", "C:/photos/me@home.png", "file:///tmp/a:b@c.png"),
        *("http://host/photo@2x.png", "http://host:80/@me/x.png", "https://host?mail=me@home"),
        *("http://[::1]/x@2.png", "http://[::1]:80/x@2.png", "0", ""),
    ],
)
def test_a_path_or_address_without_a_password_stays_as_it_is(address: str) -> None:
    assert without_password(address) == address
