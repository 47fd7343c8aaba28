"""A record remembers a verified file, and forgets it at the smallest change; of a checksum the
first digits are enough; a request names all files of a set of weights."""

import hashlib
import logging
import os
from pathlib import Path

import pytest

from zoo.environment import home
from zoo.errors import CacheError, IntegrityError, LockError
from zoo.registry.card import UrlSource, Weights
from zoo.weights import WeightsRequest, records
from zoo.weights.records import Checksum, FileStamp, Record, first_mismatch, name_and_tag, sha256_of


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
    records.write(remembered(file))
    assert records.read("https://example.org/net") == remembered(file)
    assert list(records.read_all()) == [remembered(file)]


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
    records.write(remembered(file))
    records.file_of("https://example.org/net").write_text(text)
    assert records.read("https://example.org/net") is None
    assert list(records.read_all()) == []


def test_without_records_there_is_nothing_to_read() -> None:
    assert records.read("https://example.org/net") is None
    assert list(records.read_all()) == []


def test_where_nothing_can_be_written_it_is_said_and_work_goes_on(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home().parent.mkdir(parents=True, exist_ok=True)
    home().write_text("a file where the folder should be")
    with caplog.at_level(logging.WARNING, "zoo"):
        records.write(remembered(file))
    assert "hashes it again" in caplog.text


def test_a_name_outside_of_utf_8_is_a_key_and_is_not_remembered(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / os.fsdecode(b"caf\xe9.safetensors")
    file.write_bytes(b"weights")
    address = f"file:{file}"
    assert records.key_of(address) != records.key_of(address.replace("\udce9", "\udcea"))
    with caplog.at_level(logging.WARNING, "zoo"):
        records.write(Record(address, str(file), "a" * 64, FileStamp.of(file)))
    assert "Its name is not UTF-8." in caplog.text
    assert records.read(address) is None


DIGEST = hashlib.sha256(b"weights").hexdigest()


@pytest.mark.parametrize("length", [8, 16, 64])
def test_the_first_digits_are_enough(length: int) -> None:
    assert Checksum(DIGEST[:length], "the card").matches(DIGEST)


def test_the_first_that_is_broken_is_the_one_that_is_told() -> None:
    kept, first, second = (
        Checksum(DIGEST[:8], "the card"),
        Checksum("0" * 64, "the lock file", LockError, "Lock again."),
        Checksum("1" * 64, "the bundle"),
    )
    assert first_mismatch([kept], DIGEST) is None
    assert first_mismatch([kept, first, second], DIGEST) is first


def test_a_mismatch_says_who_gave_it_and_what_to_do() -> None:
    error = Checksum("0" * 64, "the lock file", LockError, "Lock again.").mismatch_error(
        "Asked.", DIGEST
    )
    assert isinstance(error, LockError)
    assert (error.failure, error.fix) == ("Asked.", "Lock again.")
    assert error.case == f"Its sha256 is {DIGEST[:16]}, but the lock file says {'0' * 16}."
    assert isinstance(
        Checksum("0" * 64, "the card").mismatch_error("Asked.", DIGEST), IntegrityError
    )


def test_a_file_is_hashed_whole_and_one_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"weights")
    assert sha256_of(path) == DIGEST
    with pytest.raises(CacheError, match="gone can't be verified"):
        sha256_of(tmp_path / "gone")


MODEL = UrlSource(url="https://example.org/model.safetensors")
WORDS = UrlSource(url="https://example.org/words.json")
REQUEST = WeightsRequest("a/net", "v1", Weights(files={"tokenizer": [WORDS], "model": [MODEL]}))


def test_the_checkpoint_comes_first_and_has_the_plain_name() -> None:
    requests = REQUEST.every_file()
    assert [request.entry for request in requests] == ["a/net.v1", "a/net.v1:tokenizer"]
    assert [request.sources for request in requests] == [[MODEL], [WORDS]]
    assert {request.model for request in requests} == {"a/net.v1"}


def test_weights_without_a_tag_have_the_name_of_the_model() -> None:
    assert WeightsRequest("a/net", None, REQUEST.weights).entry == "a/net"


@pytest.mark.parametrize(
    ("entry", "name", "tag"),
    [
        ("yolox/yolox_nano.coco", "yolox/yolox_nano.coco", None),
        ("yolox/yolox_nano.coco:tokenizer", "yolox/yolox_nano.coco", None),
        ("file:/a/run.v1:x.best", "file:/a/run.v1:x", "best"),
        ("file:/a.b/run.best:tokenizer", "file:/a.b/run", "best"),
        ("hub:org/m.v1@main.best", "hub:org/m.v1@main", "best"),
        ("hub:org/m.v1:card", "hub:org/m.v1", None),
        ("hub:org/m.best:tokenizer", "hub:org/m", "best"),
    ],
)
def test_an_entry_says_which_model_it_is_of_and_which_of_its_weights(
    entry: str, name: str, tag: str | None
) -> None:
    assert name_and_tag(entry) == (name, tag)
