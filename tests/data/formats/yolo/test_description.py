"""`data.yaml` as several tools write it."""

from pathlib import Path

import pytest

from zoo.data.formats.yolo.description import description_of, is_description
from zoo.errors import DataError


@pytest.mark.parametrize(
    "text",
    [
        "names: [cat, dog]",
        "nc: 2\nnames:\n- cat\n- dog",
        "names:\n  0: cat\n  1: dog",
        'names: {"1": dog, "0": cat}',
    ],
)
def test_names_are_a_list_or_a_mapping(tmp_path: Path, text: str) -> None:
    (tmp_path / "data.yaml").write_text(text)
    assert description_of(tmp_path).names == ("cat", "dog")
    assert description_of(tmp_path / "data.yaml").names == ("cat", "dog")


def test_splits_are_a_place_or_several(tmp_path: Path) -> None:
    text = "path: /gone\ntrain: [a.txt, b]\nval: images/val\ntest:\nnames: [no]\n"
    (tmp_path / "site.yml").write_text(text)
    found = description_of(tmp_path)
    assert found.splits == {"train": ("a.txt", "b"), "val": ("images/val",)}
    assert (found.root, found.names) == (tmp_path, ("no",))


def test_a_list_of_classes_does_where_there_is_no_yaml(tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_text("cat\r\ndog\n")
    assert description_of(tmp_path).names == ("cat", "dog")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("names: {0: cat, 2: dog}", "numbered 0, 2; 1 is missing"),
        ("nc: 3\nnames: [cat, dog]", "2 names, and nc says 3"),
        ("names: []", "no names"),
        ("names: [a]\ntrain: {x: 1}", "The split 'train' is"),
        ("names: [a]\nnames: [b]", "appears twice"),
        ("names: &a [a]\nx: *a", "data.yaml"),
        ("names: [a", "not YAML"),
    ],
)
def test_a_wrong_description_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "data.yaml").write_text(text)
    with pytest.raises(DataError, match=message):
        description_of(tmp_path / "data.yaml")


def test_nothing_that_names_classes_says_what_to_write(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text("a: 1")
    assert not is_description(tmp_path / "other.yaml")
    with pytest.raises(DataError, match=r"no data\.yaml and no list of its classes"):
        description_of(tmp_path)
