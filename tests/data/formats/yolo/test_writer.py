"""YOLO folders that are written."""

from pathlib import Path

import numpy as np
import pytest

from zoo.data import Dataset, GroundTruth, ImageRecord, write
from zoo.errors import DataError


def some(folder: Path, **settings: object) -> Dataset:
    boxes = {"image": [2], "label": [1], "box": [[4, 4, 20, 16]]}
    truth = GroundTruth.of([1, 2], boxes, label_space=["cat: a", "no"])
    records = [ImageRecord(1, folder / "a.jpg", 40, 20), ImageRecord(2, folder / "b.jpg", 40, 20)]
    return Dataset("some", records, truth, **settings)  # type: ignore[arg-type]


def test_what_is_written_is_what_tools_read(tmp_path: Path) -> None:
    rows = {"train": np.array([1]), "val": np.array([0])}
    write(some(tmp_path, split_rows=rows), f"yolo:{tmp_path / 'made'}")
    made = tmp_path / "made"
    assert (made / "labels" / "a.txt").read_text() == ""
    assert (made / "labels" / "b.txt").read_text() == "1 0.3 0.5 0.4 0.6\n"
    assert (made / "train.txt").read_text() == "./images/b.jpg\n"
    assert (made / "data.yaml").read_text() == (
        'path: .\ntrain: "train.txt"\nval: "val.txt"\nnames:\n  0: "cat: a"\n  1: "no"\n'
    )


def test_splits_and_sizes_that_yolo_needs_are_asked_for(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has the split 'night'"):
        write(some(tmp_path, split_rows={"night": np.array([0])}), f"yolo:{tmp_path / 'made'}")
    data = some(tmp_path)
    unsized = [ImageRecord(record.id, record.path) for record in data.images]
    with pytest.raises(
        DataError, match=r"size of image 2 is not annotated, and there is no .*b\.jpg"
    ):
        write(Dataset("some", unsized, data.truth), f"yolo:{tmp_path / 'made'}")
    assert not (tmp_path / "made").exists()
