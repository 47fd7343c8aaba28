"""Places of encoded images in a Parquet file: their bytes lie there one after another, each after
its length, if nothing packs them. So one is read without its neighbours, and none is copied.

The layout: https://parquet.apache.org/docs/file-format/ and, of page headers, Thrift's compact
protocol. Whatever is not as expected ends in None, and the images are read row group by row group.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow.parquet as pq

DATA_PAGE, DATA_PAGE_V2 = 0, 3
PLAIN = 0
# Thrift's types of fields
_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _STRUCT = 1, 2, 3, 7, 8, 12
_WHOLES = (4, 5, 6)
_DEEPEST = 8
_MOST_FIELDS = 64


class Unexpected(Exception):
    """The bytes are not laid out as they would have to be."""


@dataclass
class _Reader:
    """Thrift's compact protocol, as far as page headers have it."""

    held: mmap.mmap
    at: int
    end: int

    def byte(self) -> int:
        if self.at >= self.end:
            raise Unexpected
        self.at += 1
        return self.held[self.at - 1]

    def varint(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise Unexpected

    def whole(self) -> int:
        value = self.varint()
        return (value >> 1) ^ -(value & 1)

    def struct(self, depth: int = 0) -> dict[int, Any]:
        """The fields of a struct by their numbers."""
        fields: dict[int, Any] = {}
        number = 0
        for _ in range(_MOST_FIELDS):
            head = self.byte()
            if head == 0:
                return fields
            number = number + (head >> 4) if head >> 4 else self.whole()
            fields[number] = self.value(head & 0x0F, depth)
        raise Unexpected

    def value(self, kind: int, depth: int) -> Any:
        if kind in (_TRUE, _FALSE):
            return kind == _TRUE
        if kind == _BYTE:
            return self.byte()
        if kind in _WHOLES:
            return self.whole()
        if kind in (_DOUBLE, _BINARY):
            length = 8 if kind == _DOUBLE else self.varint()
            self.at += length
            return None
        if kind == _STRUCT and depth < _DEEPEST:
            return self.struct(depth + 1)
        raise Unexpected


def places_of(
    held: mmap.mmap, chunk: pq.ColumnChunkMetaData, *, levels: bool
) -> NDArray[np.int64] | None:
    """(n, 2) where each value of a column of bytes begins, and its length; None where that can't be
    said.

    held: the file. chunk: the column in one row group. levels: whether values may be missing.
    """
    statistics = chunk.statistics
    if chunk.compression != "UNCOMPRESSED" or chunk.physical_type != "BYTE_ARRAY":
        return None
    if statistics is None or statistics.null_count != 0 or chunk.has_dictionary_page:
        return None
    start = chunk.data_page_offset
    reader = _Reader(held, start, start + chunk.total_compressed_size)
    places: list[tuple[int, int]] = []
    try:
        while len(places) < chunk.num_values:
            places += _page(reader, levels)
    except (Unexpected, struct.error, IndexError):
        return None
    is_complete = len(places) == chunk.num_values and reader.at == reader.end <= len(held)
    return np.array(places, np.int64).reshape(-1, 2) if is_complete else None


def _page(reader: _Reader, levels: bool) -> list[tuple[int, int]]:
    """The values of one page. Raises: Unexpected."""
    header = reader.struct()
    size, kind = header.get(3), header.get(1)
    end = reader.at + (size if isinstance(size, int) else -1)
    if header.get(2) != size or not reader.at < end <= reader.end:
        raise Unexpected
    if kind == DATA_PAGE:
        about = header.get(5, {})
        count, encoding = about.get(1), about.get(2)
        at = _after_levels(reader.held, reader.at) if levels else reader.at
    elif kind == DATA_PAGE_V2:
        about = header.get(8, {})
        count, encoding = about.get(1), about.get(4)
        at = reader.at + about.get(5, 0) + about.get(6, 0)
    else:
        raise Unexpected
    if encoding != PLAIN or not isinstance(count, int) or count < 0:
        raise Unexpected
    places = []
    for _ in range(count):
        (length,) = struct.unpack_from("<I", reader.held, at)
        at += 4
        places.append((at, length))
        at += length
        if at > end:
            raise Unexpected
    if at != end:
        raise Unexpected
    reader.at = end
    return places


def _after_levels(held: mmap.mmap, at: int) -> int:
    """The start of the values of a page, after the levels that say which of them are there."""
    (length,) = struct.unpack_from("<I", held, at)
    return at + 4 + int(length)
