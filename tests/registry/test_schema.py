"""Plain data as structs: the error names the field, also inside of lists and mappings."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from zoo.errors import CardError
from zoo.leaderboard.board import Board
from zoo.registry.card import Card, Input, Weights
from zoo.registry.schema import MODEL_NAME, check_name, convert, in_words, plainly
from zoo.registry.yaml_document import Sheet

SHEET = Sheet(Path("cards.yaml"))
GOOD = {"files": {"model": [{"kind": "url", "url": "https://e.org/w"}]}}


def refused(data: Any, kind: type[Any]) -> str:
    with pytest.raises(CardError) as caught:
        convert(SHEET, data, kind, at=("cards", "net"))
    return str(caught.value)


def test_data_becomes_a_struct() -> None:
    assert convert(SHEET, {"files": {}}, Weights) == Weights(files={})


def test_the_field_is_named_through_mappings_whose_keys_are_anybodys() -> None:
    bad = {"files": {"model": GOOD["files"]["model"], "words": [{"kind": "url", "url": "ftp://x"}]}}
    card = {"architecture": "a/b", "labels": ["x"], "weights": {"one": GOOD, "two": bad}}
    said = refused(card, Card)
    assert "Field 'cards.net.weights.two.files.words[0].url'" in said
    assert "is not an http or https address" in said


def test_a_field_that_is_missing_and_one_that_is_not_known_are_told_apart() -> None:
    assert "The field 'labels' is missing" in refused({"architecture": "a/b"}, Card)


def test_the_only_value_of_a_field_that_is_missing_is_given() -> None:
    assert "Add `schema: 1`." in refused({"title": "a"}, Board)
    unknown = {"architecture": "a/b", "labels": ["x"], "licences": {}}
    assert "There is no field 'licences' here.\nDid you mean 'licenses'?" in refused(unknown, Card)


def test_a_choice_lists_what_there_is() -> None:
    card = {"architecture": "a/b", "labels": ["x"], "input": {"resize": "crop", "size": [1, 1]}}
    assert "Write 'fixed', 'letterbox' or 'shortest_edge'" in refused(card, Card)
    near = card | {"input": {"resize": "leterbox", "size": [1, 1]}}
    assert "Did you mean 'letterbox'? Write 'fixed', 'letterbox'" in refused(near, Card)


def test_without_a_near_field_those_of_the_place_are_listed_and_no_page_of_a_checkout() -> None:
    card = {"architecture": "a/b", "labels": ["x"], "weights": {"one": GOOD | {"qqqq": 1}}}
    said = refused(card, Card)
    assert re.search(r"Remove it; the fields here are .*\bfiles\b", said)
    assert "docs/" not in said + refused({"architecture": 3, "labels": ["x"]}, Card)


def test_data_without_a_file_is_told_by_its_field_alone() -> None:
    with pytest.raises(msgspec.ValidationError) as raised:
        msgspec.convert({"resize": "letterbox", "szie": [1, 1]}, Input)
    case, fix = in_words({"resize": "letterbox", "szie": [1, 1]}, Input, raised.value)
    assert (case, fix) == ("Field 'szie': There is no field 'szie' here.", "Did you mean 'size'?")


def test_patterns_are_told_by_what_they_stand_for() -> None:
    case = r"Expected `str` matching regex '^https?://'"
    assert plainly(case, "ftp://x") == "The value 'ftp://x' is not an http or https address"


@pytest.mark.parametrize("name", ["a", "yolox_nano", "plugin/name", "name.tag", "plugin/name.tag"])
def test_names_of_models(name: str) -> None:
    assert MODEL_NAME.fullmatch(name)


@pytest.mark.parametrize("name", ["", "A", "a b", "a.b.c", "a/b/c", "_a"])
def test_what_could_not_be_typed_as_a_name_is_refused(name: str) -> None:
    assert not MODEL_NAME.fullmatch(name)
    with pytest.raises(CardError, match="is not a name"):
        check_name(SHEET, name, at=("cards", name))
