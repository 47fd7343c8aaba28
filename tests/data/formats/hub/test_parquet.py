"""Parquet files with images inside, as anybody may have written them."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from torch.utils.data import DataLoader

from tests.data.formats.hub.conftest import REPO
from tests.data.formats.hub.shards import Shards
from zoo.data import Dataset, check, convert, read
from zoo.errors import DataError
from zoo.testing import LoopbackHub

DATASET = f"datasets/{REPO}"


def again(content: bytes, change: Any = None, **how: Any) -> bytes:
    """The same table, changed, written in another way."""
    table = pq.read_table(io.BytesIO(content))
    stream = io.BytesIO()
    pq.write_table(table if change is None else change(table), stream, **how)
    return stream.getvalue()


def of_structs(table: pa.Table) -> pa.Table:
    """A list of structs of each image where there was a struct of lists."""
    rows = [
        [dict(zip(objects, values, strict=True)) for values in zip(*objects.values(), strict=True)]
        for objects in table["objects"].to_pylist()
    ]
    at = table.schema.get_field_index("objects")
    return table.set_column(at, "objects", pa.array(rows))


def bare_images(table: pa.Table) -> pa.Table:
    """Images as bytes alone, without names, and sizes that nothing says."""
    contents = [image["bytes"] for image in table["image"].to_pylist()]
    at = table.schema.get_field_index("image")
    return table.set_column(at, "image", pa.array(contents)).drop_columns(["width", "height"])


@pytest.mark.parametrize(
    ("change", "how"),
    [
        (None, {"compression": "zstd", "row_group_size": 2}),
        (None, {"compression": "snappy", "use_dictionary": True}),
        (of_structs, {"compression": "none", "use_dictionary": False}),
        (bare_images, {"compression": "gzip", "row_group_size": 1}),
    ],
    ids=["packed", "dictionary", "list of structs", "bare bytes"],
)
def test_packed_images_from_the_hub_to_a_loader_and_another_format(
    hub: LoopbackHub, scenes: Dataset, shards: Shards, tmp_path: Path, change: Any, how: Any
) -> None:
    hub.add(DATASET, {name: again(content, change, **how) for name, content in shards.items()})
    data = read(f"hub:{REPO}")
    assert data.sha256 == scenes.sha256
    assert {name: len(part) for name, part in data.splits.items()} == dict.fromkeys(data.splits, 3)
    loader = DataLoader(data, batch_size=None, shuffle=True)  # type: ignore[arg-type]
    found = {tuple(target.ids.tolist()): pixels for pixels, target in loader}
    for row in range(len(scenes)):
        pixels, target = scenes[row]
        assert target.ids is not None
        assert torch.equal(found[tuple(target.ids.tolist())], pixels)
    assert check(data, show=False).counts.get("unreadable_image", 0) == 0
    made = convert(data, f"coco:{tmp_path / 'coco'}", show=False)
    assert made.checked
    assert read(f"coco:{tmp_path / 'coco'}").sha256 == scenes.sha256


def test_files_with_other_columns_are_named(tmp_path: Path, shards: Shards) -> None:
    (tmp_path / "data").mkdir()
    for name, content in shards.items():
        renamed = [
            "truth" if "val" in name and one == "objects" else one for one in _names(content)
        ]
        changed = again(content, lambda table, names=renamed: table.rename_columns(names))
        (tmp_path / name).write_bytes(changed)
    with pytest.raises(DataError, match=r"val-00000-of-00001.parquet(.|\n)*no column of boxes"):
        read(f"hub-folder:{tmp_path}")
    assert len(read(f"hub-folder:{tmp_path},split=val,objects=truth")) == 3


def _names(content: bytes) -> list[str]:
    return list(pq.read_schema(io.BytesIO(content)).names)


def test_a_table_without_images_and_one_without_rows(tmp_path: Path, shards: Shards) -> None:
    content = next(iter(shards.values()))
    without = again(content, lambda table: table.drop_columns(["image"]))
    (tmp_path / "train.parquet").write_bytes(without)
    with pytest.raises(DataError, match=r"no column of encoded images(.|\n)*,image=COLUMN"):
        read(f"hub-folder:{tmp_path}")
    (tmp_path / "train.parquet").write_bytes(again(content, lambda table: table[:0]))
    assert len(read(f"hub-folder:{tmp_path}")) == 0


IMAGES, SIZE = 64, 1_000_000  # bytes of each


def large(path: Path, *, group: int, **how: Any) -> None:
    """Images of a megabyte each, with two boxes."""
    noise = np.random.default_rng(0).bytes(2 * SIZE)
    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    writer = None
    for first in range(0, IMAGES, group):
        rows = range(first, min(first + group, IMAGES))
        contents = [{"bytes": noise[row : row + SIZE], "path": f"{row:03}.jpg"} for row in rows]
        table = pa.table(
            {
                "image": pa.array(contents, image),
                "width": [1000] * len(rows),
                "height": [800] * len(rows),
                "objects": [
                    [{"bbox": [row, 2.0, 30.0, 40.0], "category": "a"}] * 2 for row in rows
                ],
            }
        )
        writer = writer or pq.ParquetWriter(path, table.schema, **how)
        writer.write_table(table)
    assert writer is not None
    writer.close()


MEMORY = """
import json, sys, tracemalloc
import pyarrow as pa
from zoo.data import read

found = []
first, *_ = folders = sys.argv[1:]
# once for the modules, and the one that takes less first: what Arrow has taken only grows
for folder in [first, *folders]:
    tracemalloc.start()
    data = read(f"hub-folder:{folder}")
    length = len(data.images[len(data) // 2].source())
    of_python = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    most = pa.default_memory_pool().max_memory()
    found.append([most, of_python, length, len(data), data.sha256, data.notes])
print(json.dumps(found[1:]))
"""


def test_many_images_take_no_memory_and_packed_ones_that_of_their_group(tmp_path: Path) -> None:
    folders = [str(tmp_path / name) for name in ("plain", "packed")]
    for folder in folders:
        Path(folder).mkdir()
    plain = {"compression": "none", "use_dictionary": False}
    large(tmp_path / "plain" / "train.parquet", group=IMAGES, **plain)
    large(tmp_path / "packed" / "train.parquet", group=4, compression="zstd")
    words = [sys.executable, "-c", MEMORY, *folders]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    inside, packed = json.loads(done.stdout)
    assert inside[:4] == [inside[0], inside[1], SIZE, IMAGES]
    assert inside[0] < 1_000_000  # bytes of Arrow for 64 MB of images
    assert packed[0] < 3.1 * 4 * SIZE  # a group of four, packed, unpacked, and as it is joined
    assert max(inside[1], packed[1]) < 4_000_000  # bytes of Python
    assert packed[2:] == inside[2:]  # groups of 4 MB are no reason to say anything


def test_large_packed_groups_are_said_to_be_slow(tmp_path: Path) -> None:
    large(tmp_path / "train.parquet", group=64, compression="zstd")
    [note] = [note for note in read(f"hub-folder:{tmp_path}").notes if "packed" in note]
    assert "row groups of up to 64 MB" in note
