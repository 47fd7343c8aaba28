"""JSON files: packed, marked or plain, and what is wrong with one in plain words."""

import gzip
from pathlib import Path

import msgspec
import pytest

from zoo.data.json_file import MAX_UNPACKED_BYTES, content, decoded, decoded_lines
from zoo.errors import DataError


class Record(msgspec.Struct):
    id: int


MARK = b"\xef\xbb\xbf"


@pytest.mark.parametrize("raw", [b'{"id": 1}', MARK + b'{"id": 1}'])
@pytest.mark.parametrize("packed", [True, False])
def test_the_bytes_of_a_file_come_unpacked_and_without_a_mark(
    tmp_path: Path, raw: bytes, packed: bool
) -> None:
    file = tmp_path / "file.json"  # its content says whether it is packed, not its name
    file.write_bytes(gzip.compress(raw) if packed else raw)
    assert bytes(content(file)) == b'{"id": 1}'


def test_a_packed_file_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file.json.gz"
    with gzip.open(file, "wb", compresslevel=1) as packed:
        for _ in range(MAX_UNPACKED_BYTES // (1 << 20) + 2):
            packed.write(b" " * (1 << 20))
    with pytest.raises(DataError, match="unpack to more than"):
        content(file)


def test_a_file_that_can_not_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "cut.json").write_bytes(gzip.compress(b"[]" * 1000)[:-9])
    (tmp_path / "empty.json").touch()
    for name, message in [
        ("cut.json", "can't be read"),
        ("empty.json", "The file is empty"),
        ("nothing.json", "No such file"),
        (".", "[Dd]irectory"),
    ]:
        with pytest.raises(DataError, match=message):
            content(tmp_path / name)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"[]", "It is a list, as detections are"),
        (b'{"id": NaN}', "Byte 7 begins NaN, a number that JSON does not have"),
        (b'{"id": "x"}', r"\$\.id"),
        (b'{"id": 1', "file was read"),
        (b'{"id": 1, "note": "\xff"}', "Byte 19 is no UTF-8"),
        (b'{"id": 1, "note": ' + b"[" * 2_000_000, "nested too deeply"),
        ('{"id": 1}'.encode("utf-16"), "the byte order mark of UTF-16"),
        (b"", "truncated"),
    ],
)
def test_what_is_wrong_is_said_with_the_file(text: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        decoded(memoryview(text), Record, "file")
    assert str(caught.value).startswith("file was read.")


def test_a_character_over_the_edge_of_a_block_is_whole() -> None:
    text = b'{"id": 1, "note": "' + b"a" * ((1 << 20) - 20) + "ä".encode() + b'"}'
    assert decoded(memoryview(text), Record, "file") == Record(1)
    wrong = text.replace("ä".encode(), b"\xc3x")
    with pytest.raises(DataError, match="Byte 1048575 is no UTF-8"):
        decoded(memoryview(wrong), Record, "file")


def test_lines_are_records() -> None:
    assert decoded_lines(memoryview(b'{"id": 1}\n{"id": 2}'), Record, "file") == [
        Record(1),
        Record(2),
    ]
    with pytest.raises(DataError, match="file was read"):
        decoded_lines(memoryview(b'{"id": 1}\n{"id": 2'), Record, "file")
