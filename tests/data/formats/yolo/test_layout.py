"""The layouts of YOLO folders: lists, folders of splits, labels next to images."""

from pathlib import Path

import pytest

from tests.data.formats.yolo.folder import YAML, written
from zoo.data import read
from zoo.data.formats.yolo.description import Description
from zoo.data.formats.yolo.layout import label_files, layout_of
from zoo.errors import DataError

BOX = "1 0.5 0.5 0.5 0.5\n"


@pytest.mark.parametrize(
    ("files", "splits"),
    [
        (
            {
                "data.yaml": YAML + "train: images/train\nval: images/val\n",
                "images/train/a.jpg": None,
                "labels/train/a.txt": BOX,
                "images/val/b.JPG": None,
                "labels/val/b.TXT": BOX,
            },
            {"train": 1, "val": 1},
        ),
        (
            {
                "data.yaml": YAML + "train: ../train/images\nval: ../valid/images\n",
                "train/images/a.jpg": None,
                "train/labels/a.txt": BOX,
                "valid/images/a.jpg": None,
                "valid/labels/a.txt": BOX,
            },
            {"train": 1, "val": 1},
        ),
        (
            {
                "data.yaml": YAML + "train: train.txt\nval: val.txt\n",
                "train.txt": "./images/a b.jpg\n/home/me/images/c.jpg\n",
                "val.txt": "images\\b.jpg\r\n",
                "images/a b.jpg": None,
                "images/b.jpg": None,
                "images/c.jpg": None,
                "labels/a b.txt": BOX,
                "labels/b.txt": BOX,
                "labels/c.txt": "",
            },
            {"train": 2, "val": 1},
        ),
        (
            {
                "classes.txt": "cat\ndog\n",
                "images/train/a.jpg": None,
                "images/test/b.jpg": None,
                "labels/train/a.txt": BOX,
                "labels/test/b.txt": BOX,
            },
            {"train": 1, "test": 1},
        ),
        (
            {"classes.txt": "cat\ndog\n", "a.jpg": None, "a.txt": BOX, "b.jpg": None, "b.txt": BOX},
            {},
        ),
    ],
    ids=["folders", "roboflow", "lists", "no yaml", "labels next to images"],
)
def test_each_layout_gives_the_same_boxes(
    tmp_path: Path, files: dict[str, str | None], splits: dict[str, int]
) -> None:
    data = read(f"yolo:{written(tmp_path / 'site', files)}")
    assert {name: len(rows) for name, rows in data.split_rows.items()} == splits
    assert data.truth.boxes.tolist() == [[10, 5, 30, 15]] * 2
    assert data.truth.labels.tolist() == [1, 1]
    assert all(record.file().is_file() for record in data.images)
    assert data.notes == ()


def test_images_without_a_text_have_no_boxes_and_texts_without_image_are_left(
    tmp_path: Path,
) -> None:
    files = {"images/a.jpg": None, "images/b.jpg": None, "labels/a.txt": BOX, "labels/x.txt": BOX}
    folder = written(tmp_path, files)
    layout = layout_of(Description(folder, ("cat", "dog"), {}), None)
    texts, left = label_files(layout, folder)
    assert texts == [folder / "labels" / "a.txt", None]
    assert left == ["x.txt"]


def test_a_split_that_is_not_there_says_so(tmp_path: Path) -> None:
    written(tmp_path, {"data.yaml": YAML + "train: nowhere\n", "images/a.jpg": None})
    with pytest.raises(DataError, match=r"'nowhere' is not there(.|\n)*images=FOLDER"):
        read(f"yolo:{tmp_path}")


def test_the_images_may_be_elsewhere(tmp_path: Path) -> None:
    written(tmp_path / "site", {"data.yaml": YAML, "labels/a.txt": BOX})
    written(tmp_path / "far", {"a.jpg": None})
    data = read(f"yolo:{tmp_path / 'site'},images={tmp_path / 'far'}")
    assert data.truth.boxes.tolist() == [[10, 5, 30, 15]]
