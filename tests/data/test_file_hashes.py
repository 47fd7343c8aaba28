"""Image files are known by their file_hashes, and hashed once as long as they stay as they are."""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from zoo.data import file_hashes
from zoo.data.file_hashes import hashes


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are really read, while the test runs."""
    names: list[str] = []
    hash_file = file_hashes.hash_file

    def noted(path: str) -> bytes:
        names.append(Path(path).name)
        return hash_file(path)

    monkeypatch.setattr(file_hashes, "hash_file", noted)
    return names


@pytest.fixture
def settle(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Lets a minute go by."""
    later = [0]
    real = time.time_ns

    def wait() -> None:
        later[0] += 60_000_000_000

    monkeypatch.setattr(file_hashes.time, "time_ns", lambda: real() + later[0])
    return wait


def folder_of(to: Path, **files: bytes) -> list[Path]:
    to.mkdir(parents=True, exist_ok=True)
    for name, written in files.items():
        (to / name).write_bytes(written)
    return [to / name for name in files]


def sha256(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def test_files_are_hashed_once_while_they_stay(
    tmp_path: Path, hashed: list[str], settle: Callable[[], None]
) -> None:
    files = folder_of(tmp_path / "images", a=b"one", b=b"two")
    settle()
    for _ in range(3):
        assert hashes([*files, files[0]]) == [sha256(b"one"), sha256(b"two"), sha256(b"one")]
    assert sorted(hashed) == ["a", "b"]


def test_a_file_that_was_just_written_is_not_trusted_to_its_stamp(
    tmp_path: Path, hashed: list[str]
) -> None:
    files = folder_of(tmp_path, a=b"one")
    hashes(files)
    hashes(files)
    assert hashed == ["a", "a"]


def test_a_change_within_a_tick_of_the_clock_of_the_file_system_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settle: Callable[[], None]
) -> None:
    files = folder_of(tmp_path, a=b"one")
    stamp = file_hashes.stamp_of(str(files[0]))
    monkeypatch.setattr(file_hashes, "stamp_of", lambda _: stamp)
    hashes(files)
    files[0].write_bytes(b"TWO")
    settle()
    assert hashes(files) == [sha256(b"TWO")]


def test_a_user_without_a_home_can_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_HOME", "~nosuchuser/x")
    assert hashes(folder_of(tmp_path, a=b"one")) == [sha256(b"one")]


def replaced_in_place(path: Path) -> None:
    path.write_bytes(b"TWO")


def replaced_under_the_same_times(path: Path) -> None:
    times = path.stat()
    path.write_bytes(b"TWO")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def replaced_by_a_rename(path: Path) -> None:
    beside = path.with_name("beside")
    beside.write_bytes(b"TWO")
    os.utime(beside, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    beside.replace(path)


@pytest.mark.parametrize(
    "change", [replaced_in_place, replaced_under_the_same_times, replaced_by_a_rename]
)
def test_another_content_of_as_many_bytes_is_seen(
    tmp_path: Path, settle: Callable[[], None], change: Callable[[Path], None]
) -> None:
    files = folder_of(tmp_path, a=b"one", b=b"two")
    settle()
    hashes(files)
    time.sleep(0.02)  # the clock of a file system ticks in milliseconds
    change(files[1])
    settle()
    assert hashes(files) == [sha256(b"one"), sha256(b"TWO")]


def test_hashes_of_a_part_of_a_folder_are_kept_beside_the_rest(
    tmp_path: Path, hashed: list[str], settle: Callable[[], None]
) -> None:
    files = folder_of(tmp_path, a=b"one", b=b"two", c=b"three")
    settle()
    hashes(files[:2])
    hashes(files[1:])
    hashes(files)
    assert sorted(hashed) == ["a", "b", "c"]


@pytest.mark.parametrize(
    "damage", [lambda _: b"", lambda kept: kept[:-1], lambda kept: b"\0" + kept[1:]]
)
def test_a_damaged_cache_file_is_made_again(
    tmp_path: Path, hashed: list[str], settle: Callable[[], None], damage: Callable[[bytes], bytes]
) -> None:
    files = folder_of(tmp_path, a=b"one")
    settle()
    hashes(files)
    [cache_file] = (Path(os.environ["ZOO_HOME"]) / "images").iterdir()
    cache_file.write_bytes(damage(cache_file.read_bytes()))
    assert hashes(files) == [sha256(b"one")]
    hashes(files)
    assert hashed == ["a", "a"]


def test_cache_files_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settle: Callable[[], None]
) -> None:
    monkeypatch.setattr(file_hashes, "MAX_CACHE_FILES", 3)
    monkeypatch.setattr(file_hashes, "MAX_ENTRIES", 2)
    settle()
    for number in range(5):
        hashes(folder_of(tmp_path / str(number), a=b"one", b=b"two", c=b"three"))
    cache_files = list((Path(os.environ["ZOO_HOME"]) / "images").iterdir())
    assert len(cache_files) == 3
    assert all(len(file_hashes.read_cache(cache_file)) == 2 for cache_file in cache_files)


def test_a_home_that_can_t_be_written_costs_only_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").write_text("a file")
    monkeypatch.setenv("ZOO_HOME", str(tmp_path / "home"))
    assert hashes(folder_of(tmp_path / "images", a=b"one")) == [sha256(b"one")]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "m.jpg")
    with pytest.raises(OSError, match="not a regular file"):
        hashes([tmp_path / "m.jpg"])


MANY = """
import sys
from pathlib import Path
from zoo.data import file_hashes
file_hashes.SETTLED_NS = -1
files = sorted(Path(sys.argv[1]).iterdir())
print(len(file_hashes.hashes(files[int(sys.argv[2])::4])))
"""


def test_processes_that_write_at_once_leave_an_intact_cache_file(tmp_path: Path) -> None:
    folder_of(tmp_path, **{f"{number:03d}": b"%d" % number for number in range(200)})
    words = [[sys.executable, "-c", MANY, str(tmp_path), str(turn)] for turn in range(4)]
    running = [subprocess.Popen(one, stdout=subprocess.PIPE, text=True) for one in words]
    assert [one.communicate()[0] for one in running] == ["50\n"] * 4
    [cache_file] = (Path(os.environ["ZOO_HOME"]) / "images").iterdir()
    cache = file_hashes.read_cache(cache_file)
    assert cache
    assert all(
        digest == hashlib.sha256(b"%d" % int(name)).digest() for name, (_, digest) in cache.items()
    )
