"""VOC files that are written."""

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from tests.data.formats.voc.folder import item, written
from zoo.data import Dataset, GroundTruth, ImageRecord, read, write
from zoo.errors import DataError


def one(folder: Path, *, name: str = "a.jpg", label: str = "cat") -> Dataset:
    boxes = {"image": [1], "label": [0], "box": [[0, 0.5, 20, 10]], "difficult": np.array([True])}
    truth = GroundTruth.of([1], boxes, label_space=[label])
    return Dataset("some", [ImageRecord(1, folder / name, 20, 10)], truth)


def test_pixels_are_counted_from_one_and_the_file_says_so(tmp_path: Path) -> None:
    write(one(tmp_path, label="a & <b>"), f"voc:{tmp_path / 'made'}")
    root = ElementTree.parse(tmp_path / "made" / "Annotations" / "a.xml").getroot()
    box = root.find("object/bndbox")
    assert box is not None
    assert [edge.text for edge in box] == ["1", "1.5", "20", "10"]
    assert root.findtext("object/difficult") == "1"
    assert root.findtext("object/name") == "a & <b>"
    assert root.findtext("origin") == "1"


def test_a_box_left_of_the_image_does_not_change_how_the_others_are_counted(
    tmp_path: Path,
) -> None:
    data = one(tmp_path)
    truth = GroundTruth.of(
        [1],
        {"image": [1, 1], "label": [0, 0], "box": [[-5, 0, 3, 3], [4, 4, 5, 5]]},
        label_space=["cat"],
    )
    write(Dataset("some", data.images, truth), f"voc:{tmp_path / 'made'}")
    (tmp_path / "made" / "JPEGImages").mkdir()
    assert read(tmp_path / "made").truth.boxes.tolist() == [[-5, 0, 3, 3], [4, 4, 5, 5]]


@pytest.mark.parametrize("box", [[-8.25, -9, -1.25, -1], [-2, 0, 1, 2e-16], [0, 0, 0.5, 0.75]])
def test_boxes_within_a_pixel_are_not_taken_for_fractions_of_the_image(
    tmp_path: Path, box: list[float]
) -> None:
    data = one(tmp_path)
    truth = GroundTruth.of([1], {"image": [1], "label": [0], "box": [box]}, label_space=["cat"])
    write(Dataset("some", data.images, truth), f"voc:{tmp_path / 'made'}")
    (tmp_path / "made" / "JPEGImages").mkdir()
    assert read(tmp_path / "made").truth.boxes.tolist() == [box]


def test_what_xml_can_not_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"XML can't hold the name"):
        write(one(tmp_path, name="a\ufffe.jpg"), f"voc:{tmp_path / 'made'}")
    assert not (tmp_path / "made").exists()


def test_other_annotations_are_not_mixed_in(tmp_path: Path) -> None:
    written(tmp_path, "b.xml", item(1, 1, 2, 2), image="b.jpg")
    with pytest.raises(DataError, match=r"File exists(.|\n)*a new or an empty folder"):
        write(one(tmp_path), f"voc:{tmp_path}")
    assert [path.name for path in (tmp_path / "Annotations").iterdir()] == ["b.xml"]
