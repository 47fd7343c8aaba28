"""Tables that are written."""

from pathlib import Path

import pytest

from zoo.data import Dataset, GroundTruth, ImageRecord, read, write
from zoo.errors import DataError


def some(folder: Path, boxes: dict[str, list[object]]) -> Dataset:
    table = {"image": [], "label": [], "box": []} | boxes
    truth = GroundTruth.of([7, 9], table, label_space=["cat"])  # type: ignore[arg-type]
    records = [ImageRecord(7, folder / "a,b.jpg", 40, 20), ImageRecord(9, folder / "c.jpg")]
    return Dataset("some", records, truth)


def test_a_row_per_box_and_one_per_image_without(tmp_path: Path) -> None:
    boxes = {"image": [7], "label": [0], "box": [[1, 2.25, 3, 4]], "note": ["night, rain"]}
    data = some(tmp_path, boxes)
    write(data, tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text() == (
        "image,image_id,width,height,split,class,class_id,xmin,ymin,xmax,ymax,area,crowd,id,note\n"
        '"a,b.jpg",7,40,20,,cat,0,1,2.25,3,4,3.5,0,1,"night, rain"\n'
        "c.jpg,9,,,,,,,,,,,,,\n"
    )
    again = read(tmp_path / "a.csv")
    assert again.sha256 == data.sha256
    assert again.truth.box_attributes["note"].tolist() == ["night, rain"]


def test_without_a_box_no_row_would_name_a_class(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"It has no box(.|\n)*coco:PATH"):
        write(some(tmp_path, {}), tmp_path / "a.csv")
