"""Files of results: whole, or not there."""

import json
import os
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from zoo.cli.results import json_list
from zoo.errors import ImageError


def fill(to: str, items: Iterable[object]) -> None:
    with json_list(to) as add:
        for item in items:
            add(item)


def interrupted() -> Iterator[int]:
    yield 1
    raise KeyboardInterrupt


@pytest.mark.parametrize("items", [[], [1], [{"a": 1}, {"b": [2.5]}]])
def test_a_list_reads_back(tmp_path: Path, items: list[object]) -> None:
    file = tmp_path / "out.json"
    fill(str(file), items)
    assert json.loads(file.read_text()) == items
    assert os.listdir(tmp_path) == ["out.json"]


def test_work_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    file.write_text("yesterday's")
    with pytest.raises(KeyboardInterrupt):
        fill(str(file), interrupted())
    assert file.read_text() == "yesterday's"
    assert os.listdir(tmp_path) == ["out.json"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link.json").symlink_to(tmp_path / "real.json")
    fill(str(tmp_path / "link.json"), [1])
    assert (tmp_path / "link.json").is_symlink()
    assert json.loads((tmp_path / "real.json").read_text()) == [1]


def test_a_named_pipe_is_written_through(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    fill(str(pipe), [1])
    reader.join()
    assert json.loads(read[0]) == [1]


def test_a_missing_folder_is_named_on_entering_and_not_made(tmp_path: Path) -> None:
    to = tmp_path / "new" / "out.json"
    with pytest.raises(ImageError, match=r"no folder(.|\n)*mkdir -p"), json_list(str(to)):
        pytest.fail("entered")
    assert not to.parent.exists()


@pytest.mark.skipif(
    not os.path.exists("/dev/full"), reason="needs /dev/full, a disk that is always full"
)
@pytest.mark.parametrize("count", [1, 100_000])
def test_a_full_disk_is_a_sentence(count: int) -> None:
    with pytest.raises(ImageError, match="No space left on device"):
        fill("/dev/full", range(count))
