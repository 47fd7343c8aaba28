"""Extension fields, `x-…`, are left alone."""

from collections.abc import Callable
from pathlib import Path

from tests.registry.nano_card import CARD, refused
from zoo.registry.registry_file import USER, read_registry_file

Write = Callable[..., Path]


def test_extension_fields_are_left_alone_at_every_level(write: Write) -> None:
    text = CARD.replace("cards:\n", "x-team: {of: [us, 1]}\ncards:\n", 1)
    text = text.replace("    labels:", "    x-owner: me\n    labels:", 1)
    text = text.replace("size: [416, 416]", "size: [416, 416], x-note: square", 1)
    text = text.replace("code: MIT", "code: MIT, x-checked: true", 1)
    text = text.replace("        files:\n", "        x-run: 7\n        files:\n", 1)
    text = text.replace("kind: url\n", "kind: url\n              x-size: 1\n", 1)
    text = text.replace("{dataset: other,", "{x-by: us, dataset: other,", 1)
    registry_file = read_registry_file(write(text), owner=USER)
    assert registry_file.card(0) == read_registry_file(write(CARD), owner=USER).card(0)
    written = registry_file.card_data(0)
    assert (written["x-owner"], written["weights"]["coco"]["x-run"]) == ("me", 7)


def test_an_extension_field_does_not_hide_another_mistake(write: Write) -> None:
    text = CARD.replace("    labels:", "    x-owner: me\n    sumary: s\n    labels:", 1)
    assert "Did you mean 'summary'?" in refused(write(text))


def test_names_may_look_like_extension_fields(write: Write) -> None:
    text = CARD.replace("  nano:", "  x-nano:").replace("finetuned:", "x-mine:")
    registry_file = read_registry_file(
        write(text.replace("coco80", "coco80\n    x-a: 1")), owner=USER
    )
    assert registry_file.rows[0].name == "x-nano"
    assert list(registry_file.card(0).weights) == ["coco", "x-mine"]
