"""Image folders with metadata in each of the forms that the Hub knows."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from tests.data.formats.hub.conftest import REPO
from zoo.data import Dataset, check, read
from zoo.errors import DataError
from zoo.testing import LoopbackHub

Row = dict[str, Any]


def as_lines(rows: list[Row]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def as_csv(rows: list[Row]) -> bytes:
    names = list(dict.fromkeys(name for row in rows for name in row))
    stream = io.StringIO()
    writer = csv.DictWriter(stream, names)
    writer.writeheader()
    for row in rows:
        cells = {
            name: json.dumps(value) if isinstance(value, dict | list) else value
            for name, value in row.items()
        }
        writer.writerow(cells)
    return b"\xef\xbb\xbf" + stream.getvalue().encode()


def as_parquet(rows: list[Row]) -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), stream)
    return stream.getvalue()


FORMS: dict[str, Callable[[list[Row]], bytes]] = {
    "metadata.jsonl": as_lines,
    "metadata.csv": as_csv,
    "metadata.parquet": as_parquet,
}


def of_structs(row: Row) -> Row:
    """A list of objects of an image where there was an object of lists."""
    fields = row["objects"]
    parts = zip(*fields.values(), strict=True)
    return {**row, "objects": [dict(zip(fields, values, strict=True)) for values in parts]}


def rows_in(content: bytes) -> list[Row]:
    return [json.loads(line) for line in content.splitlines()]


@pytest.mark.parametrize("nested", ["struct of lists", "list of structs"])
@pytest.mark.parametrize("name", FORMS)
def test_every_form_of_metadata_from_the_hub_is_the_same_data(
    hub: LoopbackHub, scenes: Dataset, folder_files: dict[str, bytes], name: str, nested: str
) -> None:
    files = {}
    for file, content in folder_files.items():
        place, _, last = file.rpartition("/")
        if last != "metadata.jsonl":
            files[file] = content
            continue
        rows = rows_in(content)
        rows = [of_structs(row) for row in rows] if nested == "list of structs" else rows
        files[f"{place}/{name}"] = FORMS[name](rows)
    hub.add(f"datasets/{REPO}", files)
    data = read(f"hub:{REPO}")
    assert data.sha256 == scenes.sha256
    assert data.label_space.names == scenes.label_space.names
    assert list(data.splits) == list(scenes.splits)


def image(path: Path, size: tuple[int, int] = (40, 30)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size).save(path)


BOX = {"bbox": [[1, 2, 3, 4]], "category": ["cat"]}


def made(folder: Path, rows: list[Row], name: str = "metadata.jsonl") -> str:
    for row in rows:
        image(folder / row["file_name"])
    (folder / name).write_bytes(FORMS[name](rows))
    return f"hub-folder:{folder}"


@pytest.mark.parametrize("name", FORMS)
def test_images_without_objects_however_that_is_written(tmp_path: Path, name: str) -> None:
    rows: list[Row] = [
        {"file_name": "a.png", "objects": {"bbox": [], "category": []}},
        {"file_name": "b ä.PNG", "objects": BOX},
        {"file_name": "c.png", "objects": None},
        {"file_name": "d.png"},
    ]
    data = read(made(tmp_path, rows, name))
    assert sorted(data.files) == ["a.png", "b ä.PNG", "c.png", "d.png"]
    assert data.truth.boxes.tolist() == [[1, 2, 4, 6]]
    assert data.images[data.truth.images[0]].path.name == "b ä.PNG"
    assert data.sizes.tolist() == [[40, 30]] * 4  # of the files


def test_a_table_of_pandas_has_its_lists_as_python_writes_them(tmp_path: Path) -> None:
    image(tmp_path / "a.png")
    text = "file_name,objects\na.png,\"{'bbox': [[1, 2, 3, 4]], 'category': ['cat\"\"s']}\"\n"
    (tmp_path / "metadata.csv").write_text(text)
    data = read(f"hub-folder:{tmp_path}")
    assert data.truth.boxes.tolist() == [[1, 2, 4, 6]]
    assert data.label_space.names == ('cat"s',)


def test_a_thousand_images_without_a_box_before_the_first(tmp_path: Path) -> None:
    empty = {"bbox": [], "category": []}
    rows = [{"file_name": f"{number}.png", "objects": empty} for number in range(2100)]
    rows[1500]["objects"] = BOX
    (tmp_path / "metadata.jsonl").write_bytes(as_lines(rows))
    data = read(f"hub-folder:{tmp_path}")  # images that are not there are no matter yet
    assert len(data) == 2100
    assert data.truth.boxes.tolist() == [[1, 2, 4, 6]]


def test_metadata_above_the_images_and_in_their_folders(tmp_path: Path) -> None:
    rows = [{"file_name": "cats/a.png", "objects": BOX}, {"file_name": "b.png", "objects": BOX}]
    made(tmp_path / "train", rows)
    made(tmp_path / "test" / "deep", [{"file_name": "a.png", "objects": BOX}])
    image(tmp_path / "train" / "c.png")
    data = read(f"hub-folder:{tmp_path}")
    assert {name: sorted(part.files) for name, part in data.splits.items()} == {
        "train": ["a.png", "b.png"],
        "test": ["a.png"],
    }
    assert "1 image has no row of metadata, and are left out" not in " ".join(data.notes)
    assert "1 image has no row of metadata, and is left out." in data.notes


def test_an_image_with_two_rows_is_named_with_both_files(tmp_path: Path) -> None:
    rows = [{"file_name": "a.png", "objects": BOX}]
    name = made(tmp_path, rows * 2)
    with pytest.raises(DataError, match=r"'a.png' has two rows of metadata, in metadata.jsonl\."):
        read(name)
    made(tmp_path, rows)
    made(tmp_path, rows, "metadata.csv")
    both = r"in metadata.csv and metadata.jsonl(.|\n)*Leave one of them out"
    with pytest.raises(DataError, match=both):
        read(name)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("metadata.jsonl", b'{"file_name": "a.png"\n', r"Line 1 is not a row as JSON"),
        ("metadata.jsonl", b'{"file_name": "a.png", "objects": []}\n[1]\n', r"Line 2 is not a row"),
        ("metadata.jsonl", b'{"file_name": "\xff.png"}\n', r"Line 1 is not a row"),
        ("metadata.jsonl", b'{"name": "a.png"}\n', r"no column file_name; it has name"),
        ("metadata.csv", b"file_name,objects\n\xff.png,[]\n", r"It can't be read(.|\n)*UTF-8"),
        ("metadata.csv", b"file;objects\na;[]\n", r"no column file_name; it has file;objects"),
        ("metadata.csv", b"", r"metadata name no image"),
        ("metadata.parquet", b"PAR1", r"metadata.parquet(.|\n)*It can't be read"),
        ("metadata.jsonl", b'{"file_name": 7, "objects": []}\n', r"7 is not a name"),
        (
            "metadata.jsonl",
            b'{"file_name": "a.png", "objects": {"bbox": [[1, 2]], "category": ["a"]}}\n',
            r"box 0 has 2 numbers, not four",
        ),
        (
            "metadata.jsonl",
            b'{"file_name": "a.png", "objects": {"bbox": [1, [2]], "category": ["a"]}}\n',
            r"metadata.jsonl' of(.|\n)*It can't be read",
        ),
    ],
)
def test_what_can_not_be_read_is_said_with_its_file(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    image(tmp_path / "a.png")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        read(f"hub-folder:{tmp_path}")


def test_check_goes_on_behind_a_row_that_names_no_image(tmp_path: Path) -> None:
    rows = [{"file_name": "a.png", "objects": BOX}]
    made(tmp_path, rows)
    (tmp_path / "metadata.jsonl").write_bytes(
        as_lines([{"file_name": "../b.png", "objects": BOX}, {"file_name": None}, *rows])
    )
    found = check(f"hub-folder:{tmp_path}", show=False)
    assert found.counts["unreadable_annotations"] == 2
    assert list(found.dataset.files) == ["a.png"]
