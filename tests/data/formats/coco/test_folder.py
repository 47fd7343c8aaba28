"""A folder of COCO files: each is a split."""

import gzip
import json
from pathlib import Path

import pytest
from PIL import Image

from zoo.data import read
from zoo.data.formats.coco.folder import annotation_files, recognise
from zoo.errors import DataError, NameNotFound


def written(file: Path, *, number: int, name: str, categories: tuple[str, ...] = ("cat",)) -> Path:
    """A COCO file with one image and one box."""
    file.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "images": [{"id": number, "file_name": name}],
        "categories": [{"id": row, "name": one} for row, one in enumerate(categories)],
        "annotations": [
            {"id": number, "image_id": number, "category_id": 0, "bbox": [0, 0, 2, 2], "area": 4}
        ],
    }
    text = json.dumps(content).encode()
    file.write_bytes(gzip.compress(text) if file.suffix == ".gz" else text)
    return file


def drawn(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 6)).save(path)


@pytest.mark.parametrize("named", ["street", "street/annotations"])
def test_coco_s_own_layout(tmp_path: Path, named: str) -> None:
    folder = tmp_path / "street"
    train = written(folder / "annotations/instances_train2017.json", number=1, name="1.png")
    written(folder / "annotations/instances_val2017.json.gz", number=2, name="2.png")
    (folder / "annotations/captions_val2017.json").write_text("[]")
    drawn(folder / "train2017/1.png")
    drawn(folder / "val2017/2.png")
    data = read(f"coco:{tmp_path / named}")
    assert (data.name, list(data.splits)) == ("street", ["train2017", "val2017"])
    assert data.truth.image_ids.tolist() == [1, 2]
    assert all(record.file().is_file() for record in data.images)
    assert data.splits["train2017"].sha256 == read(train).sha256


def test_a_folder_for_each_split_whose_ids_begin_again(tmp_path: Path) -> None:
    for split in ("train", "valid"):
        written(tmp_path / split / "_annotations.coco.json", number=0, name="a.png")
        drawn(tmp_path / split / "a.png")
    data = read(f"coco:{tmp_path},name=robots")
    assert (data.name, list(data.splits)) == ("robots", ["train", "valid"])
    assert data.truth.image_ids.tolist() == ["train/0", "valid/0"]
    assert [record.file().parent.name for record in data.images] == ["train", "valid"]


def test_one_split_is_read_alone_with_the_ids_of_its_file(tmp_path: Path) -> None:
    for split in ("train", "valid"):
        written(tmp_path / split / "_annotations.coco.json", number=0, name="a.png")
    data = read(f"coco:{tmp_path},split=valid")
    assert (data.name, data.truth.image_ids.tolist()) == ("valid", [0])
    assert data.splits == {}
    with pytest.raises(DataError, match=r"No split named 'vaild'(.|\n)*Did you mean 'valid'"):
        read(f"coco:{tmp_path},split=vaild")
    with pytest.raises(DataError, match="the split 'valid' is of a folder"):
        read(f"coco:{tmp_path / 'valid' / '_annotations.coco.json'},split=valid")
    with pytest.raises(NameNotFound, match="It has train, valid"):
        _ = read(f"coco:{tmp_path}").splits["test"]


def test_other_files_are_splits_by_their_names_and_one_alone_is_none(tmp_path: Path) -> None:
    written(tmp_path / "day.json", number=1, name="1.png")
    assert read(f"coco:{tmp_path}").splits == {}
    assert read(f"coco:{tmp_path}").name == "day"
    written(tmp_path / "night.json", number=2, name="2.png")
    (tmp_path / ".hidden.json").write_text("{")
    assert list(read(f"coco:{tmp_path}").splits) == ["day", "night"]
    assert list(annotation_files(tmp_path)) == ["day", "night"]


def test_a_folder_of_images_leads_to_the_annotations_beside_it(tmp_path: Path) -> None:
    written(tmp_path / "day.json", number=1, name="1.png")
    (tmp_path / "other.json").write_text("{}")
    images = tmp_path / "images"
    images.mkdir(exist_ok=True)
    with pytest.raises(DataError, match="has no annotation file") as refused:
        read(f"coco:{images}")
    assert refused.value.fix == f"Did you mean 'coco:{tmp_path / 'day.json'}'?"


def test_a_packed_file_without_a_telling_name_is_recognised(tmp_path: Path) -> None:
    file = tmp_path / "day.json"
    written(file, number=1, name="1.png")
    (tmp_path / "day.json.gz").write_bytes(gzip.compress(file.read_bytes()))
    file.unlink()
    assert recognise(tmp_path)


def test_a_folder_without_annotations_and_splits_of_other_classes_are_sentences(
    tmp_path: Path,
) -> None:
    with pytest.raises(DataError, match="has no annotation file"):
        read(f"coco:{tmp_path}")
    written(tmp_path / "day.json", number=1, name="1.png")
    written(tmp_path / "night.json", number=2, name="2.png", categories=("cat", "owl"))
    with pytest.raises(DataError, match=r"category 1 'owl' is in one(.|\n)*split=NAME"):
        read(f"coco:{tmp_path}")
