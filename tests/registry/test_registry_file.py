"""Registry files: what is accepted, and that everything wrong is named with file, line and
field."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.registry.nano_card import CARD, refused
from zoo.errors import CardError
from zoo.registry.card import Input, UrlSource
from zoo.registry.registry_file import (
    CORE,
    USER,
    first_duplicate,
    read_registry_file,
    registry_file_of,
)

Write = Callable[..., Path]


def test_a_card_is_read_as_it_is_written(write: Write) -> None:
    registry_file = read_registry_file(write(CARD), owner=USER)
    card = registry_file.card(0)
    assert card.architecture == "acme/net"
    assert card.arguments == {"depth": 0.33, "deep": {"er": [1, 2]}}
    assert card.input == Input(resize="letterbox", size=[416, 416])
    assert card.weights["coco"].files["model"] == [
        UrlSource(url="https://example.org/nano.pth", sha256="258fb6c6")
    ]
    assert card.gflops is None


def test_a_row_has_the_facts_of_the_default_weights(write: Write) -> None:
    [row] = read_registry_file(write(CARD), owner=USER).rows
    assert (row.qualified, row.line, row.tags, row.default) == (
        "user/nano",
        3,
        ("coco", "finetuned"),
        "coco",
    )
    assert (row.ap, row.ap50, row.megabytes) == (25.8, None, 3.5)
    assert (row.size, row.resize, row.labels, row.classes) == (
        (416, 416),
        "letterbox",
        "coco80",
        80,
    )
    assert (row.code_license, row.weights_license) == ("MIT", None)


def test_weights_have_the_cards_licences_unless_they_state_their_own(write: Write) -> None:
    card = read_registry_file(write(CARD), owner=USER).card(0)
    licenses = card.licenses_of(card.weights["finetuned"])
    assert (licenses.code, licenses.weights, licenses.data) == ("MIT", "AGPL-3.0", None)


def test_a_card_of_the_core_belongs_to_its_architectures_plugin(write: Write) -> None:
    assert read_registry_file(write(CARD), owner=CORE).rows[0].qualified == "acme/nano"


def test_a_plugin_may_name_its_own_architecture_without_its_name(write: Write) -> None:
    registry_file = read_registry_file(write(CARD.replace("acme/net", "net")), owner="acme")
    assert (
        registry_file.card(0).architecture,
        registry_file.rows[0].architecture,
        registry_file.rows[0].plugin,
    ) == (
        "acme/net",
        "acme/net",
        "acme",
    )


def test_classes_given_inline_are_counted(write: Write) -> None:
    [row] = read_registry_file(
        write(CARD.replace("coco80", "[helmet, vest, 'no']")), owner=USER
    ).rows
    assert (row.labels, row.classes, row.class_names) == ("custom", 3, ("helmet", "vest", "no"))


@pytest.mark.parametrize(
    ("written", "says"),
    [
        (
            "coco8",
            r"Line 5, field 'cards\.nano\.labels': No label space is called 'coco8'\.\nDid you "
            r"mean 'coco80'",
        ),
        ("mine", r"No label space is called 'mine'\.\nThere are coco80, .*Or list the class names"),
        ("[helmet, ' ']", "A class name is empty"),
    ],
)
def test_labels_that_nobody_declared_are_an_error_with_file_and_line(
    write: Write, written: str, says: str
) -> None:
    with pytest.raises(CardError, match=says) as error:
        read_registry_file(write(CARD.replace("coco80", written)), owner=USER)
    assert "cards.yaml" in str(error.value)


def test_a_file_without_some_names_keeps_each_card_with_its_row(write: Write) -> None:
    text = "schema: 2\naliases: {x: one, y: two}\ncards:\n"
    text += "".join(
        f"  {name}: {{architecture: a/b, labels: [{name}]}}\n" for name in ("one", "two", "three")
    )
    registry_file = read_registry_file(write(text), owner=USER).without({"one", "x", "y"})
    assert [row.name for row in registry_file.rows] == ["two", "three"]
    assert [registry_file.card(position).labels for position in (0, 1)] == [["two"], ["three"]]
    assert registry_file.names == ["two", "three"]


def test_a_section_may_be_empty(write: Write) -> None:
    assert read_registry_file(write("schema: 2\ncards:\naliases:\n"), owner=USER).rows == []


def test_a_file_without_a_schema_is_refused(write: Write) -> None:
    assert "'schema' is missing" in refused(write("cards: {}"))


ALIASES = (
    "schema: 2\naliases:\n  {alias}: {target}\ncards:\n  nano:\n    architecture: acme/net\n    "
    "labels: coco80\n"
)


@pytest.mark.parametrize("target", ["nano", "acme/nano"])
def test_an_alias_may_stand_for_a_model_of_the_file(write: Write, target: str) -> None:
    [alias] = read_registry_file(
        write(ALIASES.format(alias="small", target=target)), owner="acme"
    ).listing.aliases
    assert (alias.name, alias.target, alias.line) == ("small", "acme/nano", 3)


@pytest.mark.parametrize(
    ("alias", "target", "says"),
    [
        ("small", "nana", "no model 'nana'"),
        ("small", "nano.coco", "no weights tagged 'coco'"),
        ("nano", "nano", "hides the model"),
        ("small", "small", "itself an alias"),
        ("small", "small.coco", "'small' is itself an alias"),
        ("Small", "nano", "not a name"),
        ("small", "a/b/c", "not a model's name"),
    ],
)
def test_an_alias_that_can_not_work_is_refused_with_its_line(
    write: Write, alias: str, target: str, says: str
) -> None:
    message = refused(write(ALIASES.format(alias=alias, target=target)), owner="acme")
    assert f"Line 3, field 'aliases.{alias}'" in message
    assert says in message


def test_only_a_users_file_redirects_downloads(write: Write) -> None:
    path = write("schema: 2\nmirrors: {'https://': 'http://localhost/'}")
    assert read_registry_file(path, owner=USER).listing.mirrors == {"https://": "http://localhost/"}
    for owner in (CORE, "acme"):
        assert "Line 2, field 'mirrors'" in refused(path, owner)


def test_a_mirror_of_everything_is_refused(write: Write) -> None:
    assert "empty prefix" in refused(write("schema: 2\nmirrors: {'': 'http://localhost/'}"))


def test_a_plugin_can_not_speak_for_others(write: Write) -> None:
    path = write(
        "schema: 2\nknown_plugins: {effdet: {distribution: detzoo-effdet, names: "
        "['efficientdet_*']}}"
    )
    assert read_registry_file(path, owner=CORE).listing.known_plugins["effdet"].names == [
        "efficientdet_*"
    ]
    assert "known_plugins" in refused(path, "acme")


MAPPING = {"schema": 2, "cards": {"nano": {"architecture": "net", "labels": ["a"]}}}


def test_cards_may_come_as_python_data() -> None:
    registry_file = registry_file_of(MAPPING, Path("detzoo_acme.py"), owner="acme")
    assert (registry_file.rows[0].qualified, registry_file.rows[0].line, registry_file.origin) == (
        "acme/nano",
        None,
        "detzoo_acme.py",
    )
    assert registry_file.card(0).labels == ["a"]


@pytest.mark.parametrize("value", [object(), 2**80, lambda: 0])
def test_python_data_that_is_not_plain_is_refused(value: Any) -> None:
    cards = {"nano": {"architecture": "net", "labels": ["a"], "arguments": {"odd": value}}}
    with pytest.raises(CardError, match=r"Field 'cards\.nano'"):
        registry_file_of({"schema": 2, "cards": cards}, Path("detzoo_acme.py"), owner="acme")


@pytest.mark.parametrize(
    "cards",
    [
        {1: {}},
        {
            "nano": {
                "architecture": "net",
                "labels": ["a"],
                "weights": {1: {"files": {"model": []}}},
            }
        },
    ],
)
def test_a_key_of_python_data_that_is_no_text_is_refused(cards: dict[Any, Any]) -> None:
    with pytest.raises(CardError, match="A key is not text"):
        registry_file_of({"schema": 2, "cards": cards}, Path("detzoo_acme.py"), owner="acme")


def test_a_model_that_is_in_two_files_is_found_with_both_places(write: Write) -> None:
    registry_files = [
        read_registry_file(write(CARD, name), owner=USER) for name in ("one.yaml", "two.yaml")
    ]
    assert first_duplicate(registry_files[:1], USER) is None
    assert first_duplicate(registry_files, "acme") is None
    twice = first_duplicate(registry_files, USER)
    assert twice is not None
    assert re.search(r"'nano' twice: '.*one\.yaml', line 3, and '.*two\.yaml', line 3", twice)
