"""Lines of YOLO files, and sizes of images."""

from pathlib import Path

import pytest
from PIL import Image

from tests.data.formats.yolo.folder import YAML, written
from zoo.data import read
from zoo.errors import DataError


def one(folder: Path, text: str) -> Path:
    return written(folder, {"data.yaml": YAML, "images/a.jpg": None, "labels/a.txt": text})


def test_a_polygon_is_the_box_around_it(tmp_path: Path) -> None:
    data = read(one(tmp_path, "0 0.1 0.2 0.5 0.2 0.3 0.8\n\n 1  0.5 0.5 1 1 \r\n"))
    assert data.truth.boxes.round(6).tolist() == [[4, 4, 20, 16], [0, 0, 40, 20]]
    assert data.notes == ("1 polygon is read as the box around each.",)


def test_fractions_are_of_the_upright_image(tmp_path: Path) -> None:
    folder = one(tmp_path, "0 0.5 0.5 1 1\n")
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 20)).save(folder / "images" / "a.jpg", exif=exif)
    data = read(folder)
    assert data.sizes.tolist() == [[20, 40]]
    assert data.truth.boxes.tolist() == [[0, 0, 20, 40]]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("2 0 0 1 1", "Line 2 has class '2', and there are 2 from 0"),
        ("-1 0 0 1 1", "has class '-1'"),
        ("0.5 0 0 1 1", "has class '0.5'"),
        ("cat 0 0 1 1", "not numbers"),
        ("0 0 0 1", "has 4 numbers"),
        ("0 0 0 1 1 0.9", "a score, as of detections"),
        ("0 nan 0 1 1", "not finite"),
        ("0 0 0 -1 1", "negative width"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(one(tmp_path, f"0 0.5 0.5 1 1\n{line}\n"))


def test_boxes_of_an_image_that_is_missing_have_no_size(tmp_path: Path) -> None:
    folder = one(tmp_path, "0 0.5 0.5 1 1\n")
    (folder / "images" / "a.jpg").write_bytes(b"")
    with pytest.raises(DataError, match=r"a\.txt' has boxes in fractions of an image that is miss"):
        read(folder)


def test_the_yaml_itself_is_a_data_set(tmp_path: Path) -> None:
    data = read(one(tmp_path / "site", "1 0.5 0.5 1 1\n") / "data.yaml")
    assert (data.name, len(data.truth.labels)) == ("site", 1)
    with pytest.raises(DataError, match="does not exist"):
        read(f"yolo:{tmp_path / 'gone'}")
