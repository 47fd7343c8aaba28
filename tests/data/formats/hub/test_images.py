"""Images inside Parquet files, one by one, and linked files of the Hub's cache."""

import io
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from zoo.data.formats.hub.images import HEAD, LinkedRecords, ParquetImage, ParquetRecords, Shard
from zoo.errors import DataError


def encoded(width: int, height: int, orientation: int = 1, comment: int = 0) -> bytes:
    stream = io.BytesIO()
    image = Image.new("RGB", (width, height), (width, height, 9))
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(stream, "JPEG", exif=exif, comment=b"x" * comment)
    return stream.getvalue()


CONTENTS = [encoded(20, 10), encoded(30, 40, orientation=6), b"no image", b"", encoded(8, 9)]


def packed(path: Path, contents: list[bytes | None]) -> Shard:
    """A file in which only pyarrow finds the images, two a row group."""
    pq.write_table(pa.table({"image": contents}), path, compression="zstd", row_group_size=2)
    status = path.stat()
    return Shard(path, "image", (status.st_size, status.st_mtime_ns))


def of_row(shard: Shard, row: int) -> ParquetImage:
    return ParquetImage(shard, row // 2, row % 2, -1, 0)


def test_images_of_packed_groups_by_threads_and_in_other_processes(tmp_path: Path) -> None:
    shard = packed(tmp_path / "a.parquet", [*CONTENTS, None])
    images = [of_row(shard, row) for row in range(6)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda image: image(), images * 5))
    assert found == [*CONTENTS, b""] * 5
    assert pickle.loads(pickle.dumps(images[1]))() == CONTENTS[1]
    assert [image.size() for image in images] == [
        (20, 10),
        (40, 30),
        (0, 0),
        (0, 0),
        (8, 9),
        (0, 0),
    ]


def test_a_header_behind_a_long_comment_is_still_found(tmp_path: Path) -> None:
    content = encoded(33, 44, comment=60_000) + b"\0" * HEAD
    file = tmp_path / "a.bin"
    file.write_bytes(b"before" + content)
    status = file.stat()
    image = ParquetImage(
        Shard(file, "image", (status.st_size, status.st_mtime_ns)), 0, 0, 6, len(content)
    )
    assert image.size() == (33, 44)
    assert image() == content
    assert image.head(10) == content[:10]


@pytest.mark.parametrize("offset", [-1, 4])
def test_a_file_that_changes_is_not_read_any_more(tmp_path: Path, offset: int) -> None:
    shard = packed(tmp_path / "a.parquet", CONTENTS[:2])
    image = ParquetImage(shard, 0, 0, offset, 10)
    image()
    packed(tmp_path / "a.parquet", CONTENTS)
    with pytest.raises(DataError, match=r"has changed since(.|\n)*Read the data set again"):
        image()


def test_a_group_that_is_damaged_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    packed(path, [bytes(range(256)) * 40, b"a"])
    content = bytearray(path.read_bytes())
    content[30:60] = b"\xff" * 30
    path.write_bytes(content)
    status = path.stat()
    shard = Shard(path, "image", (status.st_size, status.st_mtime_ns))
    with pytest.raises(DataError, match=r"a.parquet(.|\n)*row group 0 can't be read"):
        ParquetImage(shard, 0, 0, -1, 0)()


def test_records_are_made_when_they_are_looked_at(tmp_path: Path) -> None:
    shard = packed(tmp_path / "a.parquet", CONTENTS)
    places = np.array([[0, 0, 1, -1, 0], [0, 0, 0, -1, 0]])
    records = ParquetRecords(
        np.array(["b", "a"]), ["b.jpg", "a.jpg"], np.array([[40, 30], [0, 0]]), (shard,), places
    )
    assert [record.source() for record in records] == [CONTENTS[1], CONTENTS[0]]
    assert (records[0].width, records[1].width, records[1].path) == (40, None, Path("a.jpg"))


def test_a_link_that_leads_out_of_the_cache_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "cache"
    (root / "blobs").mkdir(parents=True)
    (root / "snapshot").mkdir()
    (root / "blobs" / "x").write_bytes(CONTENTS[0])
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    (root / "snapshot" / "a.jpg").symlink_to("../blobs/x")
    (root / "snapshot" / "b.jpg").symlink_to("../../secret.jpg")
    records = LinkedRecords(
        np.array(["a", "b"]),
        ["a.jpg", "b.jpg"],
        np.zeros((2, 2), np.int64),
        ["a.jpg", "b.jpg"],
        root / "snapshot",
        root,
    )
    assert records[0].file().read_bytes() == CONTENTS[0]
    with pytest.raises(DataError, match=r"Image 'b' can't be opened(.|\n)*leads out of its folder"):
        records[1].file()
