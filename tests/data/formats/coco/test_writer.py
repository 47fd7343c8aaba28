"""COCO files that are written, and read again."""

import gzip
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.data import Dataset, GroundTruth, ImageRecord, read, write
from zoo.errors import DataError
from zoo.labels import LabelSpace

FLOATS = st.floats(0, 1e6, width=64)


@st.composite
def datasets(draw: st.DrawFn) -> Dataset:
    """Any data set whose classes are in the order of their ids, images without boxes included."""
    text = draw(st.booleans())
    numbers = st.integers(0, 2**62)
    ids = draw(st.lists(st.text("aä/ 1", min_size=1) if text else numbers, unique=True, max_size=5))
    space = LabelSpace("custom", ("cat", "dog é", "a b"), (0, 7, 90))
    count = draw(st.integers(0, 8)) if ids else 0
    pick = st.sampled_from(ids) if ids else st.nothing()
    boxes = {
        "image": [draw(pick) for _ in range(count)],
        "label": [draw(st.integers(0, 2)) for _ in range(count)],
        "box": [[draw(FLOATS) for _ in range(4)] for _ in range(count)],
        "area": [draw(FLOATS) for _ in range(count)],
        "crowd": [draw(st.booleans()) for _ in range(count)],
        "id": draw(st.permutations(range(100, 100 + count))),
    }
    truth = GroundTruth.of(ids, boxes, label_space=space, box_format="xywh")
    records = [
        ImageRecord(number, Path(f"{row}.png"), *((row, 9) if row else ()))
        for row, number in enumerate(truth.image_ids.tolist())
    ]
    return Dataset("some", records, truth)


@settings(max_examples=60)
@given(datasets(), st.sampled_from([".json", ".json.gz"]))
def test_reading_what_was_written_gives_the_same_bits(data: Dataset, suffix: str) -> None:
    if not len(data):
        return  # its ids have no type, which a file would have to say
    with TemporaryDirectory() as folder:
        file = Path(folder) / f"some{suffix}"
        write(data, f"coco:{file}")
        again = read(file)
    assert again.sha256 == data.sha256
    assert (again.label_space.names, again.label_space.ids) == (
        data.label_space.names,
        data.label_space.ids,
    )
    assert list(again.files) == list(data.files)
    np.testing.assert_array_equal(again.sizes, data.sizes)


def test_splits_are_written_to_a_folder_and_come_back(tmp_path: Path, street: Dataset) -> None:
    rows = {"train": np.arange(4), "val": np.array([4, 5])}
    data = Dataset(street.name, street.images, street.truth, split_rows=rows)
    write(data, f"coco:{tmp_path / 'out'}")
    names = sorted(file.name for file in (tmp_path / "out").iterdir())
    assert names == ["instances_train.json", "instances_val.json"]
    again = read(f"coco:{tmp_path / 'out'},images={street.images[0].path.parent}")
    assert again.sha256 == data.sha256
    assert {name: len(split) for name, split in again.splits.items()} == {"train": 4, "val": 2}
    assert again.images_sha256 == data.images_sha256


def test_what_one_file_or_the_splits_can_not_hold_is_refused(
    tmp_path: Path, street: Dataset
) -> None:
    rows = {"val": np.array([4, 5])}
    data = Dataset(street.name, street.images, street.truth, split_rows=rows)
    with pytest.raises(DataError, match="It has the splits val, and a file holds one"):
        write(data, tmp_path / "street.json")
    with pytest.raises(DataError, match="4 of its images are in no split"):
        write(data, f"coco:{tmp_path}")
    assert list(tmp_path.glob("*.json")) == []


def test_a_packed_file_is_the_same_each_time(tmp_path: Path, street: Dataset) -> None:
    write(street, tmp_path / "a.json.gz")
    write(street, tmp_path / "b.json.gz")
    assert (tmp_path / "a.json.gz").read_bytes() == (tmp_path / "b.json.gz").read_bytes()
    content = json.loads(gzip.decompress((tmp_path / "a.json.gz").read_bytes()))
    assert content["images"][0] == {"id": 1, "file_name": "0.png", "width": 120, "height": 80}
    assert content["annotations"][0]["bbox"] == [10, 10, 50, 40]


def test_file_names_are_below_the_folder_of_all_images(tmp_path: Path, street: Dataset) -> None:
    names = ["b/1.png", "a/1.png", "c.png"]
    records = tuple(
        ImageRecord(number, tmp_path / name) for number, name in enumerate(names, start=1)
    )
    write(Dataset("some", records, street.subset([0, 1, 2]).truth), tmp_path / "some.json")
    images = json.loads((tmp_path / "some.json").read_text())["images"]
    assert [image["file_name"] for image in images] == names


def test_a_file_that_can_not_be_written_leaves_the_one_that_was_there(
    tmp_path: Path, street: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "street.json"
    file.write_text("before")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DataError, match="No space left"):
        write(street, file)
    assert file.read_text() == "before"
    assert [one.name for one in tmp_path.iterdir() if one.suffix != ""] == ["street.json"]
