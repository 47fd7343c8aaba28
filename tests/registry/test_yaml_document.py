"""The YAML reader: plain data in YAML 1.2's core schema, with lines."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.errors import CardError
from zoo.registry.yaml_document import locate, parse

ORIGIN = Path("cards.yaml")
# What YAML calls a line break or a character that may not stand in a file is left out.
WORDS = st.text(
    st.characters(min_codepoint=32, exclude_categories=("Cs", "Cc", "Cn", "Co", "Zl", "Zp")),
    max_size=20,
)
NUMBERS = st.integers(-(10**17), 10**17) | st.floats(allow_nan=False, allow_infinity=False)
PLAIN = st.recursive(
    st.none() | st.booleans() | NUMBERS | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=20,
)


def data_of(text: str) -> dict[str, Any]:
    return parse(text.encode(), ORIGIN).data


def refused(text: str) -> str:
    with pytest.raises(CardError) as caught:
        parse(text.encode(), ORIGIN)
    return str(caught.value)


@settings(max_examples=50)
@given(st.dictionaries(WORDS, PLAIN, max_size=5))
def test_json_is_read_as_what_it_says(data: dict[str, Any]) -> None:
    assert data_of(json.dumps(data, ensure_ascii=False)) == data


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("Yes", "Yes"),
        ("on", "on"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("12", 12),
        ("-7", -7),
        ("007", 7),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("2024-01-01", "2024-01-01"),
        ("0x1F", "0x1F"),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("'12'", "12"),
        ('"true"', "true"),
        ("258fb6c6", "258fb6c6"),
    ],
)
def test_plain_scalars_follow_the_core_schema(text: str, value: object) -> None:
    found = data_of(f"key: {text}")["key"]
    assert (found, type(found)) == (value, type(value))


def test_the_line_of_every_card_is_known() -> None:
    document = parse(b"schema: 2\ncards:\n  a:\n    x: 1\n\n  b: {}\naliases:\n  c: a\n", ORIGIN)
    assert document.lines == {("cards", "a"): 3, ("cards", "b"): 6, ("aliases", "c"): 8}


def test_a_field_is_located_by_its_steps() -> None:
    raw = b"cards:\n  a:\n    sources:\n    - {kind: url}\n    - kind: url\n      sha256: x\n"
    assert locate(raw, ("cards", "a", "sources", 1, "sha256")) == 6
    assert locate(raw, ("cards", "a", "sources", 1)) == 5
    assert locate(raw, ("cards", "a", "missing", "deeper")) == 2
    assert locate(raw, ()) is None


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert parse(b"\xef\xbb\xbfschema: 2\n", ORIGIN).data == {"schema": 2}


def test_a_key_that_appears_twice_is_refused_with_its_line() -> None:
    assert "Line 3: The key 'a' appears twice." in refused("a: 1\nb: 2\na: 3\n")


def test_a_number_that_is_too_large_is_refused_and_quoting_is_suggested() -> None:
    message = refused("sha256: 99999999999999999999\n")
    assert "Line 1" in message
    assert "Quote it" in message
    assert "too large" in refused("value: 1e999\n")


def test_a_number_in_quotes_stays_text() -> None:
    assert data_of("sha256: '99999999999999999999'")["sha256"] == "99999999999999999999"


def test_broken_yaml_is_refused_with_its_line() -> None:
    assert "Line 4: It is not YAML" in refused("schema: 2\ncards:\n  a: [1, 2\nb: 3\n")


def test_a_second_document_is_refused() -> None:
    assert "Line 2: A second document begins." in refused("schema: 2\n---\nschema: 2\n")


@pytest.mark.parametrize("text", ["- 1\n- 2\n", "just words\n", "42\n"])
def test_a_document_that_is_no_mapping_is_refused(text: str) -> None:
    assert "is a mapping" in refused(text)


def test_a_key_that_is_no_word_is_refused() -> None:
    assert "Line 1: A key has to be a word." in refused("? [1, 2]\n: 3\n")
