"""Checks the structure of a torch.save file before torch, which trusts it, reads it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from zoo.weights.pickle_structure import MOST_BYTES, Damaged, Refused, storages_of

LOCAL_HEADER = 30  # bytes, before a name and an extra field
MOST_ENTRIES = 1 << 17
# of a file from before torch 1.6: a magic number, a version, facts of the system, and the content
PICKLES = 4


def check_zip(path: Path) -> None:
    """Checks a zip archive: entries stored as they are, apart, undamaged, and as long as the
    tensors that use them.

    Entries have checksums unless whoever saved them switched those off, with
    torch.serialization.set_crc32_options; then all are zero.

    Raises:
        Refused: it is none that torch.save writes.
    """
    try:
        with zipfile.ZipFile(path) as archive, path.open("rb") as file:
            entries = archive.infolist()
            _check_entries(entries, path.stat().st_size)
            starts = _places(entries, file, end=archive.start_dir)
            damaged = archive.testzip() if any(entry.CRC for entry in entries) else None
            if damaged:
                raise Damaged(f"the checksum of its entry '{damaged[:100]}' is wrong")
            _check_records(
                {entry.filename: (starts[entry.filename], entry.file_size) for entry in entries},
                file,
            )
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        OSError,
        EOFError,
        RuntimeError,
        ValueError,
    ) as error:
        if isinstance(error, Refused):
            raise
        raise Damaged(str(error)) from error


def check_pickles(path: Path) -> None:
    """Checks a file from before torch 1.6, whose tensors follow its pickles. Raises: Refused."""
    with path.open("rb") as file:
        if file.read(1) != b"\x80":
            return  # no pickle: torch says so
        file.seek(0)
        size = path.stat().st_size
        for _ in range(PICKLES):
            if any(needed > size for needed in storages_of(file).values()):
                raise Damaged("it is shorter than its tensors")


def _check_entries(entries: Sequence[zipfile.ZipInfo], size: int) -> None:
    if len(entries) > MOST_ENTRIES:
        raise Refused(f"it has more than {MOST_ENTRIES:,} entries")
    packed = any(
        entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size
        for entry in entries
    )
    if packed or sum(entry.file_size for entry in entries) > size:
        raise Refused("it is a compressed zip archive, and torch.save writes none")
    if len({entry.filename for entry in entries}) < len(entries):
        raise Refused("two of its entries have the same name")


def _places(entries: Sequence[zipfile.ZipInfo], file: BinaryIO, *, end: int) -> dict[str, int]:
    """Where the content of each entry begins; refuses what lies in another, or has headers that
    contradict each other."""
    free, starts = 0, {}
    for record in sorted(entries, key=lambda entry: entry.header_offset):
        file.seek(record.header_offset)
        header = file.read(LOCAL_HEADER)
        names = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
        crc, postponed = int.from_bytes(header[14:18], "little"), header[6:7] and header[6] & 8
        start = record.header_offset + LOCAL_HEADER + names
        if (
            len(header) < LOCAL_HEADER
            or record.header_offset < free
            or start + record.file_size > end
        ):
            raise Damaged(f"its entry '{record.filename[:100]}' lies in another, or beyond the end")
        if not postponed and crc != record.CRC:
            raise Damaged(
                f"the checksums of its entry '{record.filename[:100]}' contradict each other"
            )
        free = start + record.file_size
        starts[record.filename] = start
    return starts


def _check_records(places: Mapping[str, tuple[int, int]], file: BinaryIO) -> None:
    """Refuses records of another length than their storages: torch would read on into the next.

    places: where the content of each entry begins, and its length.
    """
    name = next((place for place in places if place.endswith("/data.pkl")), None)
    if name is None:
        return  # torch says that it is not a checkpoint
    start, length = places[name]
    if length > MOST_BYTES:
        raise Refused(f"its pickle is larger than {MOST_BYTES >> 20} MB")
    file.seek(start)
    folder = name.removesuffix("data.pkl")
    for key, needed in storages_of(io.BytesIO(file.read(length))).items():
        _, size = places.get(f"{folder}data/{key}", (0, -1))
        if size != needed:
            has = "is missing" if size < 0 else f"has {size:,} bytes"
            raise Damaged(f"its record 'data/{key[:100]}' {has}, and its tensors need {needed:,}")
