"""VOC folders as tools and careless people make them."""

from pathlib import Path

import numpy as np
import pytest

from tests.data.formats.voc.folder import item, written
from zoo.data import check, read
from zoo.data.finding import collecting
from zoo.errors import DataError, NameNotFound


def test_pixels_are_counted_from_one_and_the_last_is_in_the_box(tmp_path: Path) -> None:
    data = read(f"voc:{written(tmp_path, 'a.xml', item(1, 1, 20, 10), item(3, 2, 3, 2))}")
    assert data.truth.boxes.tolist() == [[0, 0, 20, 10], [2, 1, 3, 2]]  # the whole image; a pixel
    assert data.notes == ()


def test_a_box_that_begins_before_pixel_1_shows_that_they_are_counted_from_0(
    tmp_path: Path,
) -> None:
    folder = written(tmp_path, "a.xml", item(0.25, 1, 20, 10), item(3, 2, 5, 4))
    data = read(f"voc:{folder}")
    assert data.truth.boxes.tolist() == [[0.25, 1, 20, 10], [3, 2, 5, 4]]
    assert "1 box begins before pixel 1" in data.notes[0]
    assert read(f"voc:{folder},origin=1").truth.boxes[1].tolist() == [2, 1, 5, 4]
    assert read(f"voc:{folder},origin=0").notes == ()
    written(tmp_path, "a.xml", item(1, 1, 20, 10))
    written(tmp_path, "b.xml", item(0.1, 0.2, 0.5, 0.9), image="b.jpg")  # fractions say nothing
    boxes = read(f"voc:{folder}").truth.boxes
    assert boxes.tolist() == pytest.approx(np.array([[0, 0, 20, 10], [0.1, 0.2, 0.5, 0.9]]))


@pytest.mark.parametrize(
    ("filename", "image"),
    [
        ("a.jpg", "a.jpg"),
        ("a.jpg", "a.JPG"),
        ("A.JPEG", "a.jpg"),
        ("a", "a.jpeg"),
        (r"C:\Users\me\a.jpg", "a.jpg"),
        ("/home/pi/JPEGImages/a.jpg", "a.jpg"),
        ("shot 1 é.jpg", "shot 1 é.jpg"),
        ("stale.jpg", "a.jpg"),
    ],
)
def test_the_image_is_found_whatever_its_xml_calls_it(
    tmp_path: Path, filename: str, image: str
) -> None:
    data = read(
        f"voc:{written(tmp_path, 'a.xml', item(1, 1, 2, 2), filename=filename, image=image)}"
    )
    assert data.images[0].file() == tmp_path / "JPEGImages" / image
    assert data.notes == ()


def test_equal_names_in_two_folders_are_two_images(tmp_path: Path) -> None:
    for site in ("x", "y"):
        written(tmp_path, f"{site}/a.xml", item(1, 1, 2, 2), image=f"{site}/a.jpg")
    data = read(f"voc:{tmp_path}")
    assert [record.id for record in data.images] == ["x/a", "y/a"]
    assert [record.path.parent.name for record in data.images] == ["x", "y"]


def test_an_xml_that_names_another_image_that_is_there_is_remarked(tmp_path: Path) -> None:
    written(tmp_path, "b.xml", item(1, 1, 2, 2), image="b.jpg")
    written(tmp_path, "a.xml", item(1, 1, 2, 2), filename="b.jpg")
    data = read(f"voc:{tmp_path}")
    assert data.images[0].path.name == "a.jpg"
    assert "names another image" in data.notes[0]


def test_a_check_finds_an_xml_that_names_an_image_which_is_not_there(tmp_path: Path) -> None:
    written(tmp_path, "a.xml", item(1, 1, 2, 2), filename="stale.bmp", image="a.png")
    written(tmp_path, "b.xml", item(1, 1, 2, 2), filename="b.bmp", image="b.png")
    written(tmp_path, "c.xml", item(1, 1, 2, 2), filename="c", image="c.png")
    findings = check(f"voc:{tmp_path}", images="none").findings
    [finding] = [one for one in findings if one.check == "other_file_name"]
    assert finding.image == "a.png"
    assert "'stale.bmp', which is not there; a.png is taken" in finding.message
    assert not finding.is_error


def test_image_sets_are_splits_and_trainval_is_none_of_its_own(tmp_path: Path) -> None:
    for name in "abcd":
        written(tmp_path, f"{name}.xml", item(1, 1, 2, 2), image=f"{name}.jpg")
    sets = tmp_path / "ImageSets" / "Main"
    sets.mkdir(parents=True)
    (sets / "train.txt").write_text("a\r\nb.jpg\n\n")
    (sets / "val.txt").write_bytes(b"\xef\xbb\xbfJPEGImages\\c.jpg\n")
    (sets / "trainval.txt").write_text("a\nb\nc\n")
    (sets / "test.txt").write_text("d\ngone\n")
    (sets / "cat_train.txt").write_text("a  1\nb -1\n")
    data = read(f"voc:{tmp_path}")
    splits = {name: rows.tolist() for name, rows in data.split_rows.items()}
    assert splits == {"train": [0, 1], "val": [2], "test": [3]}
    assert list(splits) == ["train", "val", "test"]
    assert data.notes == ("The split test names 1 image without XML, which is left out.",)
    assert len(read(f"voc:{tmp_path},split=val")) == 1
    with pytest.raises(NameNotFound, match="Did you mean 'train'"):
        read(f"voc:{tmp_path},split=tain")


def test_folders_called_as_splits_are(tmp_path: Path) -> None:
    for split in ("train", "valid"):
        written(tmp_path / split, "a.xml", item(1, 1, 2, 2), image="a.jpg", images="")
        (tmp_path / split / "Annotations" / "a.xml").rename(tmp_path / split / "a.xml")
    data = read(f"voc:{tmp_path}")
    assert list(data.splits) == ["train", "valid"]
    assert all(record.path.is_file() for record in data.images)


def test_images_without_objects_stay_and_those_without_xml_do_not(tmp_path: Path) -> None:
    written(tmp_path, "a.xml", item(1, 1, 2, 2))
    written(tmp_path, "b.xml", image="b.jpg")
    written(tmp_path, "b.xml", image="c.jpg")
    data = read(f"voc:{tmp_path}")
    assert [record.id for record in data.images] == ["a", "b"]
    assert data.notes == ("1 image has no XML, and is left out.",)


def test_labels_txt_orders_the_classes_and_knows_them_all(tmp_path: Path) -> None:
    written(tmp_path, "a.xml", item(1, 1, 2, 2, name="dog"), item(1, 1, 2, 2))
    assert read(f"voc:{tmp_path}").label_space.names == ("cat", "dog")
    (tmp_path / "labels.txt").write_text("dog\nbus\ncat\n")
    data = read(f"voc:{tmp_path}")
    assert data.label_space.names == ("dog", "bus", "cat")
    assert data.truth.labels.tolist() == [0, 2]
    (tmp_path / "labels.txt").write_text("dogs\ncat\n")
    with pytest.raises(DataError, match=r"class 'dog' is not in labels\.txt(.|\n)*mean 'dogs'"):
        read(f"voc:{tmp_path}")


def test_the_one_folder_of_a_devkit_is_found(tmp_path: Path) -> None:
    written(tmp_path / "VOCdevkit" / "VOC2012", "a.xml", item(1, 1, 2, 2))
    assert read(tmp_path / "VOCdevkit").name == "VOC2012"


def test_images_without_xml_and_with_one_that_can_not_be_read_are_counted_apart(
    tmp_path: Path,
) -> None:
    for name in "abcd":
        written(tmp_path, f"{name}.xml", item(1, 1, 4, 5), image=f"{name}.jpg")
    for name in "bc":
        (tmp_path / "Annotations" / f"{name}.xml").write_text("<annotation>")
    (tmp_path / "Annotations" / "d.xml").unlink()
    (tmp_path / "ImageSets" / "Main").mkdir(parents=True)
    (tmp_path / "ImageSets" / "Main" / "train.txt").write_text("a\nb\nc\nd\n")
    (tmp_path / "ImageSets" / "Main" / "val.txt").write_text("c\n")
    with collecting():
        data = read(tmp_path)
    assert data.notes == (
        "2 images have an XML that can't be read, and are left out.",
        "1 image has no XML, and is left out.",
        "The split train names 2 images whose XML can't be read, which are left out.",
        "The split train names 1 image without XML, which is left out.",
        "The split val names 1 image whose XML can't be read, which is left out.",
    )
    assert {name: rows.tolist() for name, rows in data.split_rows.items()} == {
        "train": [0],
        "val": [],
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [("a.txt", "It is not a folder"), (".", "No XML file is in it")],
)
def test_what_is_no_voc_folder_says_so(
    tmp_path: Path, text: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").touch()
    with pytest.raises(DataError, match=message):
        read(f"voc:{text}")


def test_real_folders(shared: Path) -> None:
    cells = read(shared / "bccd_voc" / "BCCD")
    assert {name: len(rows) for name, rows in cells.split_rows.items()} == {
        "train": 205,
        "val": 87,
        "test": 72,
    }
    assert cells.label_space.names == ("Platelets", "RBC", "WBC")
    assert [(cells.truth.labels == label).sum() for label in range(3)] == [361, 4155, 372]
    fish = read(shared / "fish_voc")
    assert (len(fish), len(fish.truth.labels)) == (50, 276)
    assert fish.truth.boxes.min() == 0
    assert all(record.path.is_file() for data in (cells, fish) for record in data.images)
