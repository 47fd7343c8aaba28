"""A record remembers a verified file, and forgets it at the smallest change."""

import logging
import os
from pathlib import Path

import pytest

from zoo.environment import home
from zoo.weights import cache_record
from zoo.weights.cache_record import FileStamp, Record


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "net.safetensors"
    path.write_bytes(b"weights")
    return path


def remembered(file: Path) -> Record:
    return Record(
        "https://example.org/net",
        str(file),
        "a" * 64,
        FileStamp.of(file),
        "a/net.v1",
        None,
        ("epoch",),
    )


def test_what_is_written_is_read(file: Path) -> None:
    cache_record.write(remembered(file))
    assert cache_record.read("https://example.org/net") == remembered(file)
    assert list(cache_record.read_all()) == [remembered(file)]


def test_an_unchanged_file_is_held(file: Path) -> None:
    assert remembered(file).holds(file)


@pytest.mark.parametrize("change", ["size", "time", "inode", "gone", "folder", "elsewhere"])
def test_a_changed_file_is_not(file: Path, change: str) -> None:
    known, stat = remembered(file), file.stat()
    asked = file
    if change == "size":
        file.write_bytes(b"weights and more")
        os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    elif change == "time":
        os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    elif change == "inode":
        other = file.with_suffix(".other")
        other.write_bytes(b"weights")
        os.utime(other, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        other.replace(file)
    elif change == "elsewhere":
        asked = file.with_suffix(".link")
        asked.hardlink_to(file)
    else:
        file.unlink()
        if change == "folder":
            file.mkdir()
    assert not known.holds(asked)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"address": 3}'])
def test_a_damaged_record_is_as_good_as_none(file: Path, text: str) -> None:
    cache_record.write(remembered(file))
    cache_record.file_of("https://example.org/net").write_text(text)
    assert cache_record.read("https://example.org/net") is None
    assert list(cache_record.read_all()) == []


def test_without_records_there_is_nothing_to_read() -> None:
    assert cache_record.read("https://example.org/net") is None
    assert list(cache_record.read_all()) == []


def test_where_nothing_can_be_written_it_is_said_and_work_goes_on(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home().parent.mkdir(parents=True, exist_ok=True)
    home().write_text("a file where the folder should be")
    with caplog.at_level(logging.WARNING, "zoo"):
        cache_record.write(remembered(file))
    assert "hashes it again" in caplog.text
