"""Prediction files from anywhere: what is not whole, or not ours, is an error that names the file,
and never a number."""

import json
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pyarrow import parquet

from zoo.errors import DataError
from zoo.evaluate import Predictions

NAMES = ("red", "green", "blue")
COLUMNS = ("image_ids", "sizes", "starts", "boxes", "scores", "labels")


@pytest.fixture
def seen(stored: Callable[[int], Path]) -> Path:
    return stored(200)


def test_a_file_that_ends_anywhere_is_refused_by_name(seen: Path) -> None:
    whole = seen.read_bytes()
    for length in [
        0,
        1,
        3,
        4,
        5,
        11,
        *range(12, len(whole), max(1, len(whole) // 60)),
        len(whole) - 1,
    ]:
        seen.write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"seen\.parquet was read"):
            Predictions.read(seen)


def test_a_changed_byte_is_refused_or_changes_nothing_that_is_checked(seen: Path) -> None:
    whole, right, kept = seen.read_bytes(), Predictions.read(seen), 0
    random = np.random.default_rng(1)
    for place in random.integers(0, len(whole), 150).tolist():
        damaged = bytearray(whole)
        damaged[place] ^= 0xFF
        seen.write_bytes(damaged)
        with suppress(DataError):
            read = Predictions.read(
                seen
            )  # a byte that nobody reads; a damaged page does not get past its checksum
            assert all(
                getattr(read, column).tobytes() == getattr(right, column).tobytes()
                for column in COLUMNS
            )
            assert (read.names, read.provenance, read.files.tolist()) == (
                right.names,
                right.provenance,
                right.files.tolist(),
            )
            kept += 1
    assert kept < 50


def test_a_class_name_that_a_flipped_bit_has_changed_is_refused(seen: Path) -> None:
    """Parquet's checksums are of pages; names stand in the schema."""
    content = seen.read_bytes()
    header = parquet.read_schema(seen).metadata[b"detzoo"]
    schema = parquet.read_schema(seen).with_metadata(
        {b"detzoo": header.replace(b"green", b"creen")}
    )
    parquet.write_table(parquet.read_table(seen).cast(schema), seen)
    with pytest.raises(DataError, match="It is damaged: its content is not what was written"):
        Predictions.read(seen)
    seen.write_bytes(content)
    assert Predictions.read(seen).names == ("red", "green", "blue")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not whole"),
        (b"PAR1" * 3, "not whole"),
        (b"[" * 1_000_000, "not whole"),
        (b"\x80\x04cos\nsystem\n.", "not whole"),
    ],
    ids=["empty", "only magic", "JSON", "pickle"],
)
def test_what_is_no_parquet_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "seen.parquet"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        Predictions.read(path)


def changed(path: Path, **columns: pa.Array) -> None:
    table = parquet.read_table(path)
    for name, values in columns.items():
        place = table.column_names.index(name)
        table = table.set_column(place, table.schema.field(name).with_type(values.type), values)
    parquet.write_table(table, path)


def test_other_columns_are_refused(seen: Path) -> None:
    changed(seen, height=pa.array(["tall"] * 200))
    with pytest.raises(DataError, match="It is not a file of zoo predict: its columns are"):
        Predictions.read(seen)


def test_more_scores_than_boxes_are_refused_by_image(seen: Path) -> None:
    table = parquet.read_table(seen)
    scores = table.column("scores").to_pylist()
    scores[9] = [*scores[9], 0.5]
    changed(seen, scores=pa.array(scores, table.schema.field("scores").type))
    with pytest.raises(DataError, match="Image 9 has 2 boxes and 3 scores"):
        Predictions.read(seen)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (None, "does not say what it is of"),
        ("{", "is wrong"),
        ("[" * 100_000, "is wrong"),
        (
            json.dumps({"format": 1, "names": ["red"], "provenance": {"model": 5}}),
            r"is wrong.*provenance",
        ),
        (json.dumps({"format": 99, "names": ["red"], "provenance": {}}), "format 99"),
        (
            json.dumps({"format": 1, "names": ["red"], "provenance": {}}),
            "a label that no class has",
        ),
        (
            json.dumps({"format": 1, "names": ["red", "red", "blue"], "provenance": {}}),
            "class names are not one each",
        ),
    ],
    ids=["none", "cut", "nested", "wrong type", "of the future", "too few names", "a name twice"],
)
def test_a_wrong_header_is_refused(seen: Path, header: str | None, message: str) -> None:
    table = parquet.read_table(seen)
    parquet.write_table(table.replace_schema_metadata(header and {"detzoo": header}), seen)
    with pytest.raises(DataError, match=message):
        Predictions.read(seen)


def test_a_file_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nothing\.parquet can't be read"):
        Predictions.read(tmp_path / "nothing.parquet")


@st.composite
def predictions(draw: st.DrawFn) -> Predictions:
    counts = draw(st.lists(st.integers(0, 4), max_size=5))
    total = sum(counts)
    coordinates = st.floats(0, 1e6, width=32)
    corners = np.sort(draw(arrays(np.float32, (total, 2, 2), elements=coordinates)), axis=1)
    ids = draw(
        st.lists(
            st.integers(-(2**63), 2**63 - 1),
            min_size=len(counts),
            max_size=len(counts),
            unique=True,
        )
    )
    text = draw(st.booleans())
    return Predictions(
        image_ids=np.array([f"image {one}" for one in ids], np.str_)
        if text and ids
        else np.array(ids, np.int64),
        files=np.array([f"ä {one}.jpg" for one in ids], np.str_),
        sizes=draw(arrays(np.int32, (len(counts), 2), elements=st.integers(1, 9000))),
        starts=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        boxes=corners.reshape(total, 4),
        scores=draw(arrays(np.float32, total, elements=st.floats(0, 1, width=32))),
        labels=draw(arrays(np.int32, total, elements=st.integers(0, len(NAMES) - 1))),
        names=NAMES,
        provenance={"model": "lamps", "protocol": "uniform"},
    )


@settings(max_examples=50)
@given(predictions())
def test_what_is_written_is_read(made: Predictions) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "deep" / "seen.parquet"
        made.write(path)
        read = Predictions.read(path)
        assert [file.name for file in path.parent.iterdir()] == ["seen.parquet"]
    for column in ("image_ids", "files", "sizes", "starts", "boxes", "scores", "labels"):
        ours, theirs = getattr(read, column), getattr(made, column)
        assert (ours.shape, ours.tobytes() if ours.dtype.kind != "U" else ours.tolist()) == (
            theirs.shape,
            theirs.tobytes() if theirs.dtype.kind != "U" else theirs.tolist(),
        )
    assert (read.names, read.provenance, read.path) == (made.names, made.provenance, path)
