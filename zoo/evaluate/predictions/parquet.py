"""Predictions as Parquet: a row per image, lists of boxes, scores and labels in it, class names and
provenance in the schema.

The file is written as a draft and moved to its place in one step, so that a kill leaves the whole
file or none. A file from anywhere is read with the same care: the schema has to be this one, every
record is checked, and what does not hold is named.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from zoo.data.offsets import starts_of
from zoo.errors import DataError
from zoo.evaluate.predictions.checksum import Damaged, is_sealed, seal
from zoo.evaluate.predictions.predictions import PREDICT_AGAIN, Predictions
from zoo.evaluate.predictions.provenance import flaw
from zoo.extras import optional
from zoo.files import atomic_write, check_regular, write_errors
from zoo.limits import LimitError, check_json

if TYPE_CHECKING:
    from types import ModuleType

    import pyarrow

FORMAT = 1
PARQUET_SUFFIX = ".parquet"
MAX_NUMBERS = 2**31  # numbers in a column; a file that claims more is meant to exhaust the machine
_HEADER_KEY = b"detzoo"
_RESULTS = ("image_id", "category_id", "bbox", "score")  # of COCO, a row a detection
_LISTS = ("boxes", "scores", "labels")
_DTYPES = {"int32": np.int32, "int64": np.int64, "float": np.float32}


class _Header(msgspec.Struct, frozen=True):
    """Metadata in the schema. sha256: of everything, for files that lost their
    seal to another tool."""

    format: int
    names: tuple[str, ...]
    provenance: dict[str, str]
    sha256: str | None = None


def arrow() -> ModuleType:
    """pyarrow's Parquet. Raises: MissingExtra where it is not installed."""
    optional("pyarrow", wanted_for="Predictions on disk", extra="evaluate")
    return optional("pyarrow.parquet", wanted_for="Predictions on disk", extra="evaluate")


def _schema(text: bool) -> pyarrow.Schema:
    import pyarrow as pa

    return pa.schema(
        [
            pa.field("image_id", pa.string() if text else pa.int64(), nullable=False),
            pa.field("file", pa.string(), nullable=False),
            pa.field("height", pa.int32(), nullable=False),
            pa.field("width", pa.int32(), nullable=False),
            pa.field(
                "boxes",
                pa.list_(
                    pa.field(
                        "element",
                        pa.list_(pa.field("element", pa.float32(), nullable=False), 4),
                        nullable=False,
                    )
                ),
                nullable=False,
            ),
            pa.field(
                "scores",
                pa.list_(pa.field("element", pa.float32(), nullable=False)),
                nullable=False,
            ),
            pa.field(
                "labels", pa.list_(pa.field("element", pa.int32(), nullable=False)), nullable=False
            ),
        ]
    )


def write(predictions: Predictions, path: Path) -> None:
    """Raises: DataError where the file can't be written."""
    parquet = arrow()
    table = _table(predictions)
    fix = "Name a folder with room: --to FOLDER"
    with (
        write_errors(path, DataError, fix=fix, failure=f"Predictions can't be written to {path}."),
        atomic_write(path) as draft,
        draft.open("w+b") as file,
    ):
        parquet.write_table(
            table, file, compression="lz4", use_dictionary=False, write_page_checksum=True
        )
        seal(file)


def _table(predictions: Predictions) -> pyarrow.Table:
    import pyarrow as pa

    schema = _schema(predictions.image_ids.dtype.kind == "U")
    starts = pa.array(predictions.starts.astype(np.int32))
    boxes = pa.FixedSizeListArray.from_arrays(
        pa.array(predictions.boxes.reshape(-1)), type=schema.field("boxes").type.value_type
    )
    columns = [
        pa.array(predictions.image_ids.tolist(), schema.field("image_id").type),
        pa.array(predictions.files.tolist(), pa.string()),
        pa.array(np.ascontiguousarray(predictions.sizes[:, 0])),
        pa.array(np.ascontiguousarray(predictions.sizes[:, 1])),
        pa.ListArray.from_arrays(starts, boxes, type=schema.field("boxes").type),
        pa.ListArray.from_arrays(
            starts, pa.array(predictions.scores), type=schema.field("scores").type
        ),
        pa.ListArray.from_arrays(
            starts, pa.array(predictions.labels), type=schema.field("labels").type
        ),
    ]
    header = msgspec.json.encode(
        _Header(FORMAT, predictions.names, predictions.provenance, _sha256(predictions)),
        order="sorted",
    )
    return pa.Table.from_arrays(columns, schema=schema.with_metadata({_HEADER_KEY: header}))


def read(path: Path) -> Predictions:
    """Raises: DataError naming the file, and the record where one is wrong."""
    with ThreadPoolExecutor(1) as beside:  # the file is hashed while pyarrow is imported
        sealing = beside.submit(lambda: is_sealed(check_regular(path)))
        parquet = arrow()
    import pyarrow as pa

    try:
        sealed = sealing.result()
        with parquet.ParquetFile(path, page_checksum_verification=not sealed) as file:
            _check_size(file.metadata, path)
            header = _header(file.schema_arrow, path)
            table = file.read()
        table.validate(full=True)
    except FileNotFoundError:
        raise DataError(
            f"{path} can't be read.", "There is no such file.", "Check the path."
        ) from None
    except Damaged as error:
        raise _flaw(path, f"It is not whole, or no Parquet file: {error}.") from None
    except (pa.ArrowException, OSError, MemoryError, UnicodeDecodeError) as error:
        raise _flaw(
            path,
            f"It is not whole, or no Parquet file: "
            f"{str(error).splitlines()[0] if str(error) else error!r}.",
        ) from None
    predictions = _predictions(table.combine_chunks(), header, path)
    if not sealed and header.sha256 is not None and header.sha256 != _sha256(predictions):
        raise _flaw(path, "It is damaged: its content is not what was written, by its sha256.")
    return predictions


def _sha256(predictions: Predictions) -> str:
    """A fingerprint of everything in it."""
    facts = [
        predictions.names,
        dict(sorted(predictions.provenance.items())),
        predictions.image_ids.tolist(),
        predictions.files.tolist(),
    ]
    digest = hashlib.sha256(msgspec.json.encode(facts))
    dtypes = {
        "sizes": np.int32,
        "starts": np.int64,
        "boxes": np.float32,
        "scores": np.float32,
        "labels": np.int32,
    }
    for column, dtype in dtypes.items():
        digest.update(np.ascontiguousarray(getattr(predictions, column), dtype).tobytes())
    return digest.hexdigest()


def _check_size(metadata: Any, path: Path) -> None:
    """Refuses what its own footer says is too large, before it is unpacked."""
    for group in range(metadata.num_row_groups):
        for column in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(column)
            if chunk.num_values > MAX_NUMBERS:
                raise _flaw(
                    path, f"Column {chunk.path_in_schema} claims {chunk.num_values} values."
                )


def _header(schema: pyarrow.Schema, path: Path) -> _Header:
    """Raises: DataError where the columns are not these, or nothing says what they are of."""
    if not any(schema.remove_metadata().equals(_schema(text)) for text in (False, True)):
        raise _foreign(schema, path)
    try:
        about = (schema.metadata or {})[_HEADER_KEY]
        check_json(about)
        header = msgspec.json.decode(about, type=_Header)
    except KeyError:
        case = (
            "It does not say what it is of: its schema has no entry 'detzoo' with class names and "
            "provenance."
        )
        fix = (
            "Give it that entry: read the columns in Python, and "
            "zoo.evaluate.Predictions(…).write(FILE) writes both."
        )
        raise DataError(f"{path} was read as predictions.", case, fix) from None
    except (msgspec.DecodeError, UnicodeDecodeError, LimitError) as error:
        raise _flaw(
            path, f"The entry 'detzoo' of its schema is wrong: {str(error).rstrip('.')}."
        ) from None
    if header.format != FORMAT:
        raise _flaw(path, f"It is of format {header.format}, not {FORMAT}.")
    if wrong := flaw(header.provenance):
        raise _flaw(path, wrong)
    return header


def _foreign(schema: pyarrow.Schema, path: Path) -> DataError:
    """The error for a file of another tool, with what it seems to be and how its detections can be
    measured."""
    metadata = schema.metadata or {}
    tools = {
        b"huggingface": "a data set of Hugging Face",
        b"pandas": "an export of pandas",
        b"geo": "a file of GeoParquet",
    }
    origin = next((f" It is {tool}." for key, tool in tools.items() if key in metadata), "")
    columns = ", ".join(f"{column.name}: {column.type}" for column in schema)[:300]
    fix = (
        "Write its detections as a COCO results list (.json), or hand them to "
        "zoo.evaluate.Evaluator; the columns of zoo predict "
        f"are {', '.join(_schema(text=False).names)}."
    )
    if set(_RESULTS) <= set(schema.names):
        fix = (
            "Its rows look like COCO results; write them as such: "
            f"pandas.read_parquet(FILE)[{list(_RESULTS)}].to_json('results.json', orient='records')"
        )
    return DataError(
        f"{path} was read as predictions.",
        f"It is not a file of zoo predict: its columns are {columns}.{origin}",
        fix,
    )


def _predictions(table: pyarrow.Table, header: _Header, path: Path) -> Predictions:
    columns = {name: _one_chunk(table, name) for name in table.column_names}
    for name, column in columns.items():
        if column.null_count:
            raise _flaw(path, f"Row {column.is_null().index(True).as_py()} has no {name}.")
    counts = {name: _counts(columns[name]) for name in _LISTS}
    for name in _LISTS[1:]:
        if (counts[name] != counts["boxes"]).any():
            row = int(np.flatnonzero(counts[name] != counts["boxes"])[0])
            image_id = columns["image_id"][row].as_py()
            raise _flaw(
                path,
                f"Image {image_id!r} has {counts['boxes'][row]} boxes and {counts[name][row]} "
                f"{name}.",
            )
    return Predictions(
        image_ids=_ids(columns["image_id"]),
        files=np.array(columns["file"].to_pylist(), np.str_),
        sizes=np.stack([_values(columns[name], path) for name in ("height", "width")], axis=1),
        starts=starts_of(counts["boxes"]),
        boxes=_flat_values(columns["boxes"], path),
        scores=_flat_values(columns["scores"], path),
        labels=_flat_values(columns["labels"], path),
        names=header.names,
        provenance=header.provenance,
        path=path,
    )


def _one_chunk(table: pyarrow.Table, name: str) -> Any:
    import pyarrow as pa

    chunks = table.column(name).chunks
    return chunks[0] if chunks else pa.array([], table.column(name).type)


def _ids(column: Any) -> NDArray[Any]:
    return (
        _numbers(column) if str(column.type) == "int64" else np.array(column.to_pylist(), np.str_)
    )


def _counts(column: Any) -> NDArray[np.int64]:
    return (
        np.diff(_numbers(column.offsets)).astype(np.int64) if len(column) else np.zeros(0, np.int64)
    )


def _flat_values(column: Any, path: Path) -> NDArray[Any]:
    """The numbers in the lists of a column, of all rows one after another; (n, 4) where they are
    fours."""
    inner, edges = column.values, _numbers(column.offsets)
    if inner.null_count:
        raise _flaw(path, "A list of detections has a gap: a null among its numbers.")
    if inner.type.num_fields == 0:
        values = _values(inner, path)
    else:
        values = _values(inner.values, path).reshape(-1, 4)[
            inner.offset : inner.offset + len(inner)
        ]
    return values[edges[0] : edges[-1]] if len(edges) else values[:0]


def _values(column: Any, path: Path) -> NDArray[Any]:
    if column.null_count:
        raise _flaw(path, "A list of detections has a gap: a null among its numbers.")
    return _numbers(column)


def _numbers(column: Any) -> NDArray[Any]:
    """The numbers of a column where they lie; pyarrow's own way to numpy imports pandas, which
    takes longer than all the rest."""
    dtype = np.dtype(_DTYPES[str(column.type)])
    if not len(column):
        return np.zeros(0, dtype)
    return np.frombuffer(column.buffers()[1], dtype, len(column), column.offset * dtype.itemsize)


def _flaw(path: Path, case: str) -> DataError:
    return DataError(f"{path} was read as predictions.", case, PREDICT_AGAIN)
