"""A checksum of a whole Parquet file, and a trial of files that have none.

Parquet's own checksums leave out the footer and the headers of pages, and one flipped bit in there
can end the process inside of pyarrow. The seal stands before the footer, where Parquet readers skip
what no footer points to: a mark, and the SHA-256 of all other bytes. A file without it, as other
tools write them, is read by a process of its own first.
"""

from __future__ import annotations

import hashlib
import mmap
import sys
from pathlib import Path
from typing import BinaryIO

MAGIC = b"PAR1"
MARK = b"\0detzoo sealed 1\0"
LENGTH = len(MARK) + 32
TAIL = 8  # bytes: the footer's length, and the magic
MAX_TRIAL_SECONDS = 300
TRIAL = """
import sys
from pyarrow import parquet
with parquet.ParquetFile(sys.argv[1], page_checksum_verification=True) as file:
    groups = [file.metadata.row_group(number) for number in range(file.metadata.num_row_groups)]
    columns = range(file.metadata.num_columns)
    chunks = [group.column(number) for group in groups for number in columns]
    [(chunk.num_values, chunk.path_in_schema) for chunk in chunks]
    file.schema_arrow
    file.read().validate(full=True)
"""


class Damaged(ValueError):
    """The file is not what was written; its text says why."""


def seal(file: BinaryIO) -> None:
    """Puts the seal into a whole Parquet file that is open for reading and writing."""
    size = file.seek(0, 2)
    file.seek(size - TAIL)
    tail = file.read(TAIL)
    start = size - TAIL - int.from_bytes(tail[:4], "little")
    file.seek(start)
    rest = file.read()
    file.seek(0)
    digest = hashlib.sha256()
    left = start
    while left:
        block = file.read(min(left, 1 << 20))
        digest.update(block)
        left -= len(block)
    digest.update(rest)
    file.seek(start)
    file.truncate()
    file.write(MARK + digest.digest() + rest)


def is_sealed(path: Path) -> bool:
    """Whether the file has a seal. A file without one is read in a process of its own first.

    Raises: Damaged if the seal does not fit, or reading ends that process; OSError if the file
        can't be opened.
    """
    with path.open("rb") as file:
        if _has_valid_seal(file):
            return True
    _try(path)
    return False


def _has_valid_seal(file: BinaryIO) -> bool:
    """Raises: Damaged if there is a seal that does not fit."""
    size = file.seek(0, 2)
    if size < len(MAGIC) + TAIL:
        raise Damaged("It is too short to be a Parquet file")
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if content[: len(MAGIC)] != MAGIC or content[size - len(MAGIC) :] != MAGIC:
            raise Damaged("It does not begin and end as Parquet files do")
        start = size - TAIL - int.from_bytes(content[size - TAIL : size - len(MAGIC)], "little")
        if start < len(MAGIC):
            raise Damaged("Its footer would begin before the file does")
        mark = start - LENGTH
        if mark < len(MAGIC) or content[mark : mark + len(MARK)] != MARK:
            return False
        digest = hashlib.sha256()
        with memoryview(content) as view, view[:mark] as body, view[start:] as rest:
            digest.update(body)
            digest.update(rest)
        if digest.digest() != content[mark + len(MARK) : start]:
            raise Damaged("Its content is not what was written, by its sha256")
    return True


def _try(path: Path) -> None:
    """Reads the file in a process of its own. Raises: Damaged if that process crashes."""
    import subprocess  # deferred: files of this zoo need no trial

    command = [sys.executable, "-c", TRIAL, str(path)]
    try:
        trial = subprocess.run(command, capture_output=True, timeout=MAX_TRIAL_SECONDS)
    except subprocess.TimeoutExpired:
        raise Damaged(f"Reading it takes more than {MAX_TRIAL_SECONDS} seconds") from None
    # 1 is an exception, which reading it here will raise again
    if trial.returncode < 0 or trial.returncode > 1:
        raise Damaged("Reading it ends the process that does: its footer or a page is broken")
