"""Documents nested without end are refused at every door: a sentence with file, limit and advice,
and no traceback."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from zoo.cli.image_ids import ImageIds
from zoo.cli.options import value_of
from zoo.data import read
from zoo.errors import ZooError
from zoo.evaluate import Report
from zoo.leaderboard import Board, Entry
from zoo.registry.registry_file import USER, read_registry_file
from zoo.weights.lock import Lock
from zoo.weights.manifest import Manifest
from zoo.weights.records import read_record as read_record

DEEP = 100_000
JSON = f'{{"a":\n {"[" * DEEP}{"]" * DEEP}}}'
YAML = f"schema:\n  {'[' * DEEP}{']' * DEEP}\n"
TOML = f"version = 1\nx = {'[' * DEEP}{']' * DEEP}\n"
DOORS: dict[str, tuple[str, str, Callable[[Path], object]]] = {
    "cards": ("cards.yaml", YAML, lambda path: read_registry_file(path, owner=USER)),
    "a board": ("board.yaml", YAML, Board.read),
    "an entry": ("entry.json", JSON, Entry.read),
    "a report": ("report.json", JSON, Report.read),
    "a lock file": ("zoo.lock", TOML, Lock.read),
    "a lock file's key": ("zoo.lock", "version = 1\n" + ".".join("a" * DEEP) + " = 1\n", Lock.read),
    "a bundle": ("bundle.json", JSON, lambda path: Manifest.read(path.parent)),
}


@pytest.mark.parametrize("door", DOORS)
def test_a_deep_document_is_refused_with_the_line_and_the_limit(tmp_path: Path, door: str) -> None:
    name, text, reading = DOORS[door]
    (tmp_path / name).write_text(text)
    with pytest.raises(ZooError) as caught:
        reading(tmp_path / name)
    assert str(tmp_path) in caught.value.failure
    assert "Line 2: It is nested deeper than" in caught.value.case
    assert caught.value.fix
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("door", DOORS)
def test_a_huge_document_is_refused_before_it_is_parsed(tmp_path: Path, door: str) -> None:
    name, _, reading = DOORS[door]
    with (tmp_path / name).open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(ZooError, match="It is larger than 64 MB") as caught:
        reading(tmp_path / name)
    assert caught.value.fix


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in the file system")
@pytest.mark.parametrize("door", DOORS)
def test_a_pipe_is_not_waited_for(tmp_path: Path, door: str) -> None:
    name, _, reading = DOORS[door]
    os.mkfifo(tmp_path / name)
    with pytest.raises(ZooError, match="not a regular file"):
        reading(tmp_path / name)


@pytest.mark.parametrize("reading", [ImageIds.read, read], ids=["image ids", "annotations"])
@pytest.mark.parametrize(
    "text",
    [JSON, '{"images": ' + "[" * DEEP],
    ids=["in a field that is skipped", "in a field that is read"],
)
def test_deep_annotations_are_refused_by_name(
    tmp_path: Path, reading: Callable[[Path], object], text: str
) -> None:
    (tmp_path / "instances.json").write_text(text)
    with pytest.raises(ZooError, match=r"instances\.json"):
        reading(tmp_path / "instances.json")


@pytest.mark.parametrize(
    "value",
    ["[" * DEEP, "{a: " * DEEP, "[" * DEEP + "]" * DEEP, "[[[", "!!python/name:os.system x", "*a"],
)
def test_a_setting_that_is_no_value_is_refused(value: str) -> None:
    with pytest.raises(ZooError, match=r"--set width=(.|\n)*Line [12]: ") as caught:
        value_of(f"width={value}", value)
    assert len(str(caught.value)) < 500


def test_a_deep_record_of_a_verified_file_is_as_good_as_none(tmp_path: Path) -> None:
    (tmp_path / "record.json").write_text(JSON)
    assert read_record(tmp_path / "record.json") is None
