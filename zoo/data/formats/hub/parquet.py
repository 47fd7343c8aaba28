"""Parquet files with images inside: their annotations batch by batch, and where the images are."""

from __future__ import annotations

import json
import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.formats.hub.columns import BoxColumns, box_columns
from zoo.data.formats.hub.gathered import Gathered
from zoo.data.formats.hub.images import ParquetRecords, Shard, image_at
from zoo.data.formats.hub.layout import Layout
from zoo.data.formats.hub.options import HubOptions
from zoo.data.formats.hub.pages import places_of
from zoo.data.formats.hub.repository import RepositoryFiles
from zoo.data.formats.hub.rows import Rows
from zoo.data.image_files import slashes
from zoo.errors import DataError
from zoo.extras import optional
from zoo.progress import Bar

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

BATCH = 1000  # rows that are looked at together
LARGE = 32_000_000  # bytes of a row group beyond which a note says what reading one image takes
MAGIC = {b"\xff\xd8": ".jpg", b"\x89P": ".png", b"RI": ".webp", b"GI": ".gif", b"BM": ".bmp"}


def gather_parquet(files: RepositoryFiles, layout: Layout, options: HubOptions) -> Gathered:
    """The rows of all files of a layout, which are fetched first. Raises: DataError."""
    parquet = optional("pyarrow.parquet", wanted_for="Data sets of the Hub", extra="datasets")
    files.fetch([name for names in layout.splits.values() for name in names])
    rows: Rows | None = None
    features: list[Any] = []
    shards: list[Shard] = []
    places: list[NDArray[np.int64]] = []
    paths: list[str | None] = []
    splits: list[str] = []
    for split, names in layout.splits.items():
        for name in names:
            path = files.path(name)
            with _read_errors(files, name), parquet.ParquetFile(path, memory_map=True) as file:
                address = files.address if rows is None else f"{files.address}:{name}"
                columns = box_columns(file.schema_arrow, options, address)
                _check_image(columns, file.schema_arrow, files)
                rows = rows or Rows(columns, files.address)
                _check_alike(columns, rows.columns, name, files)
                features += _features(file.schema_arrow)
                before = rows.count
                paths += _add(rows, file, columns, name)
                shards.append(_shard(path, columns, file))
                places.append(_places(file, shards[-1], len(shards) - 1))
                splits += [split] * (rows.count - before)
    if rows is None:
        case = "It has no Parquet file."
        raise DataError(f"Data set '{files.address}' can't be read.", case, "Name another.")
    where = np.concatenate(places)
    return Gathered(
        rows=rows,
        paths=[None if path is None else slashes(path) for path in paths],
        splits=splits,
        features=features,
        sizes_of=lambda missing: _sizes(shards, where, missing),
        suffix_of=lambda row: MAGIC.get(image_at(shards, where[row]).head(2)[:2], ".png"),
        records=lambda ids, names, sizes, order: ParquetRecords(
            ids, names, sizes, tuple(shards), where[order]
        ),
        notes=_notes(where),
    )


@contextmanager
def _read_errors(files: RepositoryFiles, name: str) -> Iterator[None]:
    """Turns what pyarrow says of a broken file into a DataError."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError) as error:
        first = str(error).partition("\n")[0]
        case = f"It is no Parquet file that can be read: {first:.200}".rstrip(".") + "."
        raise DataError(f"'{name}' of {files.address} was read.", case, "Make it again.") from None


def _check_image(columns: BoxColumns, schema: pa.Schema, files: RepositoryFiles) -> None:
    """Raises: DataError for a table without images."""
    if not columns.image:
        case = f"It has no column of encoded images; its columns are {', '.join(schema.names)}."
        fix = "Say which it is: ,image=COLUMN"
        raise DataError(f"Data set '{files.address}' can't be read.", case, fix)


def _check_alike(columns: BoxColumns, first: BoxColumns, name: str, files: RepositoryFiles) -> None:
    """Raises: DataError for a file with other columns than those before it."""
    for attribute in ("image", "objects", "boxes", "labels"):
        own, other = getattr(columns, attribute), getattr(first, attribute)
        if own != other:
            case = f"Its {attribute} are in '{own}', and those of the files before in '{other}'."
            fix = "Read one split of it, split=NAME, or one configuration, config=NAME."
            raise DataError(f"'{name}' of {files.address} was read.", case, fix)


def _features(schema: pa.Schema) -> list[Any]:
    """The features that the package `datasets` writes into a file; none where there are none."""
    try:
        return [json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]]
    except (KeyError, TypeError, ValueError):
        return []


def _image_path(schema: pa.Schema, image: str) -> tuple[str, str]:
    """The column of bytes, and that of names, which may be empty."""
    import pyarrow as pa

    kind = schema.field(image).type
    if not pa.types.is_struct(kind):
        return image, ""
    names = [kind.field(at).name for at in range(kind.num_fields)]
    return f"{image}.bytes", f"{image}.path" if "path" in names else ""


def _add(rows: Rows, file: pq.ParquetFile, columns: BoxColumns, name: str) -> list[str | None]:
    """Adds the rows of a file, without its images; their names."""
    import pyarrow.compute as pc

    schema = file.schema_arrow
    image_path = _image_path(schema, columns.image)[1]
    columns_to_read = [name for name in schema.names if name != columns.image]
    paths: list[str | None] = []
    for batch in file.iter_batches(BATCH, columns=[*columns_to_read, *filter(None, [image_path])]):
        if image_path:
            paths += pc.struct_field(batch.column(columns.image), 0).to_pylist()
        else:
            paths += [None] * len(batch)
        rows.add(batch, name, columns)
    return paths


def _shard(path: Path, columns: BoxColumns, file: pq.ParquetFile) -> Shard:
    status = path.stat()
    column = _image_path(file.schema_arrow, columns.image)[0]
    return Shard(path, column, (status.st_size, status.st_mtime_ns))


def _places(file: pq.ParquetFile, shard: Shard, number: int) -> NDArray[np.int64]:
    """(m, 5) as `ParquetRecords.places`."""
    about, parts = file.metadata, []
    at = next(at for at in range(about.num_columns) if about.schema.column(at).path == shard.column)
    levels = about.schema.column(at).max_definition_level > 0
    with (
        shard.path.open("rb") as opened,
        mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as held,
    ):
        for group in range(about.num_row_groups):
            chunk = about.row_group(group).column(at)
            count = about.row_group(group).num_rows
            spans = places_of(held, chunk, levels=levels)
            group_places = np.full((count, 5), -1, np.int64)
            group_places[:, 0], group_places[:, 1], group_places[:, 2] = (
                number,
                group,
                np.arange(count),
            )
            # Without places, an image's length is its mean share of the row group.
            group_places[:, 4] = chunk.total_uncompressed_size // max(count, 1)
            if spans is not None and len(spans) == count:
                group_places[:, 3:] = spans
            parts.append(group_places)
    return np.concatenate([np.zeros((0, 5), np.int64), *parts])


def _sizes(
    shards: list[Shard], places: NDArray[np.int64], rows: NDArray[np.int64]
) -> NDArray[np.int64]:
    """(k, 2) of some images, by their headers."""
    with Bar("Reading the sizes of images", total=len(rows)) as bar:
        sizes = []
        for row in rows.tolist():
            sizes.append(image_at(shards, places[row]).size())
            bar.advance()
    return np.array(sizes, np.int64).reshape(-1, 2)


def _notes(places: NDArray[np.int64]) -> list[str]:
    """A sentence about files that are slow to read at random."""
    packed = places[places[:, 3] < 0]
    if not len(packed):
        return []
    counts = np.unique(packed[:, :2], axis=0, return_counts=True)[1]
    size = int((counts * packed[:, 4].max()).max())
    if size < LARGE:
        return []
    return [
        f"Its images are packed in row groups of up to {size / 1e6:.0f} MB, and reading one at "
        "random unpacks its whole group: for training, copy them out with zoo data convert."
    ]
