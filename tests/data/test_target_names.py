"""Names of images in a folder that is written."""

from pathlib import Path

import pytest

from zoo.data import Dataset, GroundTruth, ImageRecord
from zoo.data.target_names import names_below, target_names
from zoo.errors import DataError


def some(*paths: str) -> Dataset:
    ids = list(range(len(paths)))
    truth = GroundTruth.of(ids, {"image": [], "label": [], "box": []}, label_space=["cat"])
    return Dataset("some", [ImageRecord(row, Path(path)) for row, path in enumerate(paths)], truth)


def test_names_keep_the_folders_below_the_one_of_all() -> None:
    data = some("/data/x/a.jpg", "/data/y/a.jpg")
    assert names_below(data.images) == target_names(data) == ["x/a.jpg", "y/a.jpg"]
    again = data.subset([0, 1])  # whose columns have the bare names
    assert target_names(again) == ["x/a.jpg", "y/a.jpg"]


def test_no_two_names_are_one() -> None:
    with pytest.raises(DataError, match=r"'a\.jpg' and 'a\.png'"):
        target_names(some("/data/a.jpg", "/data/a.png"), by_stem=True)
    assert target_names(some("/data/a.jpg", "/data/a.png")) == ["a.jpg", "a.png"]
