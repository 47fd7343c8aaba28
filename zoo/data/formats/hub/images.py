"""Images inside Parquet files: read one by one where they are, and never copied out."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.image_files import read_header, upright
from zoo.data.image_records import ImageRecord, ImageRecords
from zoo.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

HEAD = 1 << 16  # bytes that nearly always have an image's header
_GROUPS = 2  # row groups that a process keeps, of files in which something packs the images
_ONE = Lock()


@dataclass(frozen=True)
class Shard:
    """One Parquet file with images. column: as `image.bytes`. stamp: its size and time, by which a
    change is noticed."""

    path: Path
    column: str
    stamp: tuple[int, int]

    def check(self, status: os.stat_result) -> None:
        """Raises: DataError where the file is another one by now."""
        if (status.st_size, status.st_mtime_ns) != self.stamp:
            case = "It has changed since its annotations were read."
            raise DataError(f"'{self.path}' was read.", case, "Read the data set again.")


@dataclass(frozen=True)
class ParquetImage:
    """The encoded bytes of one image, read when they are asked for; can be pickled.

    group, row: where it is. offset, length: of its bytes in the file; offset -1 where only its row
        group can be read.
    """

    shard: Shard
    group: int
    row: int
    offset: int
    length: int

    def __call__(self) -> bytes:
        """The bytes; none for an image that is not there."""
        return self.head(self.length)

    def head(self, most: int) -> bytes:
        """Its first bytes."""
        if self.offset < 0:
            return self._from_group()
        with open(self.shard.path, "rb") as file:
            self.shard.check(os.fstat(file.fileno()))
            file.seek(self.offset)
            return file.read(min(most, self.length))

    def size(self) -> tuple[int, int]:
        """Width and height as the image is shown, by its header; 0 where it can't be read."""
        for most in (HEAD, self.length):
            if (header := read_header(io.BytesIO(self.head(most)))) is not None:
                return upright(header[:2], header[2])
        return 0, 0

    def _from_group(self) -> bytes:
        self.shard.check(os.stat(self.shard.path))
        with _ONE:  # threads that want the same group wait for the first
            values = _group(self.shard, self.group)
        content = values[self.row].as_py()
        return b"" if content is None else bytes(content)


@lru_cache(_GROUPS)
def _group(shard: Shard, group: int) -> pa.ChunkedArray | pa.Array:
    """The images of one row group."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(shard.path, memory_map=True) as file:
            table = file.read_row_group(group, columns=[shard.column], use_threads=False)
    except (pa.ArrowException, OSError) as error:
        case = f"Its row group {group} can't be read: {error!s:.200}".rstrip(".") + "."
        fix = "Get the file again, or leave it out."
        raise DataError(f"'{shard.path}' was read.", case, fix) from None
    column = table.column(0)
    return pc.struct_field(column, 0) if pa.types.is_struct(column.type) else column


@dataclass(frozen=True, eq=False)
class ParquetRecords(ImageRecords):
    """Images inside Parquet files; a record's content is read when it is asked for.

    shards: the files. places: (m, 5) of each image its file, row group, row in that, offset and
        length.
    """

    ids: NDArray[Any]
    files: Sequence[str]
    sizes: NDArray[np.int64]
    shards: tuple[Shard, ...]
    places: NDArray[np.int64]

    def record(self, row: int) -> ImageRecord:
        width, height = self.sizes[row].tolist()
        return ImageRecord(
            self.ids[row].item(),
            Path(self.files[row]),
            width or None,
            height or None,
            content=image_at(self.shards, self.places[row]),
        )


def image_at(shards: Sequence[Shard], place: NDArray[np.int64]) -> ParquetImage:
    """One image. place: as a row of `ParquetRecords.places`."""
    shard, group, row, offset, length = place.tolist()
    return ParquetImage(shards[shard], group, row, offset, length)


@dataclass(frozen=True, eq=False)
class LinkedRecords(ImageRecords):
    """Image files of a data set on the Hub, which are links in the client's cache.

    paths: (m,) where they are in `folder`. root: the folder that links stay in.
    """

    ids: NDArray[Any]
    files: Sequence[str]
    sizes: NDArray[np.int64]
    paths: Sequence[str]
    folder: Path
    root: Path

    def record(self, row: int) -> ImageRecord:
        width, height = self.sizes[row].tolist()
        path = self.folder / self.paths[row]
        return ImageRecord(
            self.ids[row].item(), path, width or None, height or None, root=self.root
        )
