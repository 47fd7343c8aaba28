"""Splits as lists and folders say them."""

from pathlib import Path

import pytest

from zoo.data.split_lists import in_order, list_text, read_list, rows_in_list, splits_by_folder
from zoo.errors import DataError


def test_a_list_names_images_with_or_without_suffix_and_folders(tmp_path: Path) -> None:
    path = tmp_path / "train.txt"
    path.write_bytes("\ufeffa\r\n\r\n./images/x/b.jpg\nC:\\x\\b\nq.v1\nnowhere\n".encode())
    rows = {"a": 0, "x/b": 1, "q.v1": 2}
    assert rows_in_list(read_list(path), rows) == ([0, 1, 2], 1)
    assert list_text(["a", "b"]) == "a\nb\n"
    with pytest.raises(DataError, match=r"gone\.txt' can't be read"):
        read_list(tmp_path / "gone.txt")


def test_folders_are_splits_only_where_all_are_called_so() -> None:
    names = ["train/a.jpg", "Valid/b.jpg", "train/c.jpg"]
    assert splits_by_folder(names) == {"train": [0, 2], "Valid": [1]}
    assert splits_by_folder(["train/a.jpg", "street/b.jpg"]) == {}
    assert splits_by_folder(["train/a.jpg"]) == splits_by_folder([]) == {}
    assert list(in_order({"night": [1], "test": [2], "train": [0]})) == ["train", "test", "night"]
