"""Image folders with metadata: a row an image, in `metadata.jsonl`, `.csv` or `.parquet` in its
folder or above it."""

from __future__ import annotations

import ast
import csv
import io
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from zoo.data.finding import report_or_raise
from zoo.data.formats.hub.columns import FILE_NAME, BoxColumns, box_columns
from zoo.data.formats.hub.gathered import Gathered
from zoo.data.formats.hub.images import LinkedRecords
from zoo.data.formats.hub.layout import Layout
from zoo.data.formats.hub.options import HubOptions
from zoo.data.formats.hub.repository import RepositoryFiles
from zoo.data.formats.hub.rows import Rows
from zoo.data.image_files import upright_sizes
from zoo.errors import DataError
from zoo.extras import optional
from zoo.files import open_regular
from zoo.paths import OutsideFolder, check_relative
from zoo.text import pluralize

if TYPE_CHECKING:
    import pyarrow as pa

BATCH = 1000  # rows that are looked at together
_Row = dict[str, Any]


def gather_folder(files: RepositoryFiles, layout: Layout, options: HubOptions) -> Gathered:
    """The rows of all metadata whose images are of the layout's splits; these images are fetched.
    Raises: DataError naming file and line."""
    pa = optional("pyarrow", wanted_for="Data sets of the Hub", extra="datasets")
    files.fetch(list(layout.metadata))
    split_of = {name: split for split, names in layout.splits.items() for name in names}
    rows: Rows | None = None
    names: list[str] = []
    short: list[str] = []
    splits: list[str] = []
    sources: list[str] = []
    for metadata, own in layout.metadata.items():
        for batch in _batches(files, metadata):
            chosen = _rows_to_read(batch, metadata, own, split_of, layout, files)
            places = pa.array([at for at, _, _ in chosen], pa.int64())
            annotations = batch.take(places).drop_columns([FILE_NAME])
            columns = _columns(batch, rows, options, files)
            rows = rows or Rows(columns, files.address)
            if len(annotations):
                rows.add(annotations, metadata, columns)
            names += [name for _, name, _ in chosen]
            folder = PurePosixPath(metadata).parent
            short += [PurePosixPath(name).relative_to(folder).as_posix() for _, name, _ in chosen]
            splits += [split for _, _, split in chosen]
            sources += [metadata] * len(chosen)
    if rows is None or not rows.count:
        case = f"Its {pluralize(len(layout.metadata), 'file')} of metadata name no image."
        raise DataError(f"Data set '{files.address}' can't be read.", case, "Add rows to them.")
    _check_once(names, sources, files)
    existing = set(files.names)
    files.fetch([name for name in names if name in existing])
    left = len(split_of.keys() - set(names))
    verb = "is" if left == 1 else "are"
    note = f"{pluralize(left, 'image has', 'images have')} no row of metadata, and {verb} left out."
    return Gathered(
        rows=rows,
        paths=short if len(set(short)) == len(short) else names,
        splits=splits,
        features=[],
        sizes_of=lambda missing: _sizes(files, names, missing),
        suffix_of=lambda row: PurePosixPath(names[row]).suffix,
        records=lambda ids, called, sizes, order: LinkedRecords(
            ids, called, sizes, [names[row] for row in order.tolist()], files.folder, files.root
        ),
        notes=[note] if left else [],
    )


def _columns(
    batch: pa.RecordBatch, rows: Rows | None, options: HubOptions, files: RepositoryFiles
) -> BoxColumns:
    """The columns of some rows; of rows without a box those of the rows before."""
    import pyarrow as pa

    try:
        return box_columns(batch.schema, options, files.address)
    except DataError:
        if rows is None:
            raise
        name = rows.columns.objects or rows.columns.boxes
        at = batch.schema.get_field_index(name)
        if at >= 0 and not pa.types.is_null(batch.schema.field(at).type):
            raise
        return rows.columns


def _rows_to_read(
    batch: pa.RecordBatch,
    metadata: str,
    own: str,
    split_of: dict[str, str],
    layout: Layout,
    files: RepositoryFiles,
) -> list[tuple[int, str, str]]:
    """The rows whose image is of a split that is read: position, name and split. own: the split of
    the metadata, for images that are not there."""
    if FILE_NAME not in batch.schema.names:
        case = f"It has no column {FILE_NAME}; it has {', '.join(batch.schema.names)}."
        raise DataError(
            f"'{metadata}' of {files.address} was read.", case, "Name the images in it."
        )
    folder = PurePosixPath(metadata).parent
    existing, chosen = set(files.names), []
    for at, file_name in enumerate(batch.column(FILE_NAME).to_pylist()):
        name = _checked_name(file_name, folder, metadata, files)
        if name is None:
            continue
        if name in split_of:
            chosen.append((at, name, split_of[name]))
        elif name not in existing and (own in layout.splits or list(layout.splits) == [""]):
            chosen.append((at, name, own if own in layout.splits else ""))
    return chosen


def _checked_name(
    file_name: Any, folder: PurePosixPath, metadata: str, files: RepositoryFiles
) -> str | None:
    """The image that a row names, in the data set; None for one that is reported. Raises: DataError
    for a name that leads out of its folder."""
    try:
        if not isinstance(file_name, str):
            raise OutsideFolder(f"{file_name!r:.80} is not a name")
        check_relative(file_name)
    except OutsideFolder as error:
        case = f"The image {error}."
        wrong = DataError(f"'{metadata}' of {files.address} was read.", case, "Correct file_name.")
        report_or_raise("unreadable_annotations", wrong)
        return None
    return (folder / file_name).as_posix()


def _check_once(names: list[str], sources: list[str], files: RepositoryFiles) -> None:
    """Raises: DataError for an image with two rows, with the files that they are in."""
    first: dict[str, str] = {}
    for name, source in zip(names, sources, strict=True):
        if name in first:
            where = " and ".join(dict.fromkeys((first[name], source)))
            case = f"The image '{name}' has two rows of metadata, in {where}."
            fix = "Leave one of them out."
            raise DataError(f"Data set '{files.address}' can't be read.", case, fix)
        first[name] = source


def _batches(files: RepositoryFiles, metadata: str) -> Iterator[pa.RecordBatch]:
    """The rows of a file, some at a time. Raises: DataError naming the line."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    failure = f"'{metadata}' of {files.address} was read."
    try:
        if metadata.endswith(".parquet"):
            with pq.ParquetFile(files.path(metadata)) as file:
                yield from file.iter_batches(BATCH)
            return
        with open_regular(files.path(metadata)) as stream:
            is_json = metadata.endswith(".jsonl")
            rows = _json_rows(stream, failure) if is_json else _csv_rows(stream)
            while batch := list(islice(rows, BATCH)):
                yield pa.RecordBatch.from_pylist(batch, schema=_schema(batch))
    except (pa.ArrowException, pa.ArrowTypeError, OSError, UnicodeDecodeError, csv.Error) as error:
        first = str(getattr(error, "strerror", None) or error).partition("\n")[0]
        case = f"It can't be read: {first:.200}".rstrip(".") + "."
        raise DataError(failure, case, "Correct it; text is UTF-8.") from None


def _schema(rows: list[_Row]) -> pa.Schema:
    """The types of all rows together, whichever columns each has."""
    import pyarrow as pa

    names = dict.fromkeys(name for row in rows for name in row)
    return pa.schema(
        [
            (name, pa.infer_type([row.get(name) for row in rows], from_pandas=False))
            for name in names
        ]
    )


def _json_rows(stream: Iterable[bytes], failure: str) -> Iterator[_Row]:
    decoder = msgspec.json.Decoder(_Row)
    for number, line in enumerate(stream, start=1):
        text = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
        if not text.strip():
            continue
        try:
            yield decoder.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            case = f"Line {number} is not a row as JSON: {error}."
            raise DataError(failure, case, "Write one JSON object a line.") from None


def _csv_rows(stream: Any) -> Iterator[_Row]:
    """Rows of a CSV file, in which lists and objects are JSON, or as Python writes them."""
    with io.TextIOWrapper(stream, "utf-8-sig", newline="") as text:
        for row in csv.DictReader(text):
            yield {str(name): _cell(value) for name, value in row.items() if name is not None}


def _cell(value: Any) -> Any:
    text = value if isinstance(value, str) else ""
    if not text:
        return None
    if text[:1] in ("{", "["):
        try:
            return msgspec.json.decode(text)
        except msgspec.DecodeError:
            return _literal(text)
    return text


def _literal(text: str) -> Any:
    """A value as Python writes it, which is how pandas has lists in a table; else the text."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


def _sizes(files: RepositoryFiles, names: list[str], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    return upright_sizes([files.path(names[row]) for row in rows.tolist()])
