"""Where images lie in a Parquet file."""

import io
import mmap
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zoo.data.formats.hub.pages import places_of


def written(path: Path, values: list[bytes | None], nullable: bool = True, **how: object) -> None:
    kind = pa.field("bytes", pa.binary(), nullable=nullable)
    image = pa.field("image", pa.struct([kind, ("path", pa.string())]), nullable=nullable)
    rows = [{"bytes": value, "path": "a.png"} for value in values]
    table = pa.table([pa.array(rows, image.type)], schema=pa.schema([image]))
    pq.write_table(table, path, **how)


def found(path: Path) -> list[list[bytes] | None]:
    """The values of each row group, cut out of the file."""
    about, made = pq.read_metadata(path), []
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as held:
        for group in range(about.num_row_groups):
            levels = about.schema.column(0).max_definition_level > 0
            places = places_of(held, about.row_group(group).column(0), levels=levels)
            spans = None if places is None else places.tolist()
            made.append(spans and [held[at : at + length] for at, length in spans])
    return made


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    lengths=st.lists(st.integers(0, 3000), min_size=1, max_size=60),
    nullable=st.booleans(),
    version=st.sampled_from(["1.0", "2.0"]),
    page=st.sampled_from([1, 500, 10_000, 1 << 20]),
    batch=st.sampled_from([1, 7, 1024]),
    group=st.sampled_from([3, 25, 1000]),
    index=st.booleans(),
    checksum=st.booleans(),
)
def test_every_image_is_cut_out_as_pyarrow_reads_it(
    tmp_path_factory: pytest.TempPathFactory,
    lengths: list[int],
    nullable: bool,
    version: str,
    page: int,
    batch: int,
    group: int,
    index: bool,
    checksum: bool,
) -> None:
    path = tmp_path_factory.mktemp("pages") / "a.parquet"
    random = np.random.default_rng(sum(lengths))
    values = [random.bytes(length) for length in lengths]
    written(
        path,
        values,
        nullable,
        compression="none",
        use_dictionary=False,
        data_page_version=version,
        data_page_size=page,
        write_batch_size=batch,
        row_group_size=group,
        write_page_index=index,
        write_page_checksum=checksum,
    )
    cut = [value for part in found(path) for value in part or []]
    assert cut == values == [one["bytes"] for one in pq.read_table(path)["image"].to_pylist()]


@pytest.mark.parametrize(
    ("values", "how"),
    [
        ([b"a" * 500, b"b"], {"compression": "snappy", "use_dictionary": False}),
        ([b"a", b"b"], {"compression": "none"}),  # in a dictionary
        ([b"a", None], {"compression": "none", "use_dictionary": False}),
        ([b"a", b"b"], {"compression": "none", "use_dictionary": False, "write_statistics": False}),
        (
            [b"ab", b"ac"],
            {
                "compression": "none",
                "use_dictionary": False,
                "column_encoding": {"image.bytes": "DELTA_BYTE_ARRAY"},
            },
        ),
    ],
)
def test_what_is_packed_is_left_to_pyarrow(
    tmp_path: Path, values: list[bytes | None], how: dict[str, object]
) -> None:
    written(tmp_path / "a.parquet", values, **how)
    assert found(tmp_path / "a.parquet") == [None]


@settings(max_examples=60, deadline=None)
@given(at=st.integers(0, 400), value=st.integers(0, 255))
def test_damage_never_leads_out_of_the_file(at: int, value: int) -> None:
    folder = Path(pytest.importorskip("tempfile").mkdtemp())
    written(folder / "a.parquet", [b"x" * 100] * 3, compression="none", use_dictionary=False)
    about = pq.read_metadata(folder / "a.parquet")
    content = bytearray((folder / "a.parquet").read_bytes())
    content[4 + at % (len(content) - 4)] = value
    with mmap.mmap(-1, len(content)) as held:
        held[:] = bytes(content)
        places = places_of(held, about.row_group(0).column(0), levels=True)
    for start, length in [] if places is None else places.tolist():
        assert 0 <= start <= start + length <= len(content)


def test_a_footer_that_promises_more_than_there_is_is_not_believed(tmp_path: Path) -> None:
    written(tmp_path / "a.parquet", [b"x" * 50] * 4, compression="none", use_dictionary=False)
    about = pq.read_metadata(tmp_path / "a.parquet")
    short = io.BytesIO((tmp_path / "a.parquet").read_bytes()[:120]).getvalue()
    with mmap.mmap(-1, len(short)) as held:
        held[:] = short
        assert places_of(held, about.row_group(0).column(0), levels=True) is None
