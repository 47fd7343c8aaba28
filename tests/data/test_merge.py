"""Several data sets as the splits of one."""

from pathlib import Path

import pytest

from zoo.data import Dataset, GroundTruth, ImageRecord
from zoo.data.merge import merge
from zoo.errors import DataError


def made(*ids: int | str, box_ids: tuple[int, ...] = (), classes: str = "cat dog") -> Dataset:
    """One box per image, of class 1, as wide as its position from 1."""
    box_ids = box_ids or tuple(range(1, len(ids) + 1))
    boxes = {
        "image": list(ids),
        "label": [1] * len(ids),
        "box": [[0.1, 0.2, 0.3 + row, 5] for row in range(len(ids))],
        "id": box_ids,
        "difficult": [False] * len(ids),
    }
    images = {"id": list(ids), f"only_{len(ids)}": [0] * len(ids), "night": [1] * len(ids)}
    truth = GroundTruth.of(images, boxes, label_space=classes.split(), box_format="xywh")
    order = truth.image_ids.tolist()
    return Dataset("part", tuple(ImageRecord(one, Path(f"{one}.png")) for one in order), truth)


def test_ids_stay_where_no_two_splits_share_one() -> None:
    train, val = made(5, 1, box_ids=(4, 9)), made(3, box_ids=(1,))
    data = merge("all", {"train": train, "val": val})
    assert data.truth.image_ids.tolist() == [1, 3, 5]
    assert data.truth.ids.tolist() == [9, 1, 4]
    assert [record.path.name for record in data.images] == ["1.png", "3.png", "5.png"]
    assert data.splits["train"].sha256 == train.sha256
    assert data.splits["val"].sha256 == val.sha256
    assert data.notes == ()
    assert set(data.truth.image_attributes) == {"night"}
    assert set(data.truth.box_attributes) == {"difficult"}


def test_ids_that_splits_share_are_told_apart() -> None:
    data = merge("all", {"train": made(0, 1), "val": made(0)})
    assert data.truth.image_ids.tolist() == ["train/0", "train/1", "val/0"]
    assert [record.id for record in data.images] == ["train/0", "train/1", "val/0"]
    assert data.truth.ids.tolist() == [1, 2, 3]
    assert [record.path.name for record in data.splits["val"].images] == ["0.png"]
    assert "SPLIT/ID" in data.notes[0]


def test_numbers_and_text_are_told_apart_too() -> None:
    data = merge("all", {"train": made("a"), "val": made(7)})
    assert data.truth.image_ids.tolist() == ["train/a", "val/7"]


def test_splits_have_the_same_classes() -> None:
    with pytest.raises(DataError, match="'val' has other classes than 'train': category 1 '"):
        merge("all", {"train": made(1), "val": made(2, classes="cat bird")})
