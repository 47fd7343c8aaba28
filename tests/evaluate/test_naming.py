"""Names of reports: one each, in tables and as files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.evaluate.naming import file_name, file_names, told_apart


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        ({"yolox_nano": "yolox_nano", "b/y.json": "y"}, ["yolox_nano", "y"]),
        ({"a/x.json": "x", "b/x.json": "x"}, ["a/x.json", "b/x.json"]),
        ({"/long/a/x.json": "x", "/long/b/x.json": "x"}, ["a/x.json", "b/x.json"]),
        ({"x.json": "x", "x.parquet": "x"}, ["x.json", "x.parquet"]),
        ({"x.json": "x", "./x.json": "x"}, ["x.json", "./x.json"]),
        ({"p": "y", "y": "z", "q": "z"}, ["p", "y", "q"]),
        ({"yolox_nano": "yolox_nano", "runs/n.parquet": "yolox_nano"}, ["yolox_nano", "n.parquet"]),
    ],
)
def test_what_is_alike_is_told_apart_by_what_was_typed(
    names: dict[str, str], shown: list[str]
) -> None:
    assert list(told_apart(names).values()) == shown


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("yolox_nano.coco", "yolox_nano.coco"),
        ("torchvision/ssd", "torchvision-ssd"),
        ("../../x", "x"),
        ("..", "model"),
        ("", "model"),
        ("a\\b:c\0d", "a-b-c-d"),
    ],
)
def test_a_file_stays_in_its_folder(name: str, file: str) -> None:
    assert file_name(name) == file


def test_files_that_would_be_one_are_numbered() -> None:
    assert list(file_names(dict.fromkeys(["x.json", "x.parquet", "X"])).values()) == [
        "x",
        "x-2",
        "X-3",
    ]


@given(st.dictionaries(st.text(), st.text(max_size=3), max_size=6))
def test_names_and_files_are_one_each(names: dict[str, str]) -> None:
    shown = told_apart(names)
    assert len(set(shown.values())) == len(names)
    files = list(file_names(dict.fromkeys(shown.values())).values())
    assert len({file.casefold() for file in files}) == len(names)
    assert not any(
        "/" in file or file.startswith(".") or len(file.encode()) > 250 for file in files
    )
