"""The COCO image id of an image."""

import json
from pathlib import Path

import pytest

from zoo.cli.image_ids import ImageIds
from zoo.errors import DataError, UsageError


def ids(folder: Path, images: dict[str, int]) -> ImageIds:
    file = folder / "instances.json"
    file.write_text(
        json.dumps({"images": [{"id": image, "file_name": name} for name, image in images.items()]})
    )
    return ImageIds.read(file)


@pytest.mark.parametrize(
    ("source", "image"),
    [
        ("000000000139.jpg", 139),
        ("val/7.png", 7),
        ("https://example.org/val/000000000785.jpg?size=large", 785),
    ],
)
def test_without_annotations_the_name_is_the_id(source: str, image: int) -> None:
    assert ImageIds.read(None).of(source) == image


@pytest.mark.parametrize(
    "source", ["street.jpg", "1a.jpg", "-1.jpg", "1.2.jpg", "https://example.org/"]
)
def test_a_name_that_is_not_a_number_says_how_to_give_ids(source: str) -> None:
    with pytest.raises(UsageError, match=r"not a number(.|\n)*--coco-images"):
        ImageIds.read(None).of(source)


@pytest.mark.parametrize(
    "source", ["street.jpg", "val/street.jpg", "photos/val/street.jpg", "elsewhere/street.jpg"]
)
def test_annotations_know_an_image_by_the_end_of_its_path(tmp_path: Path, source: str) -> None:
    assert ids(tmp_path, {"val/street.jpg": 77, "val/lane.jpg": 78}).of(source) == 77


def test_images_of_one_name_in_two_folders_are_told_apart(tmp_path: Path) -> None:
    known = ids(tmp_path, {"a/1.jpg": 10, "b/1.jpg": 20})
    assert (known.of("photos/a/1.jpg"), known.of("photos/b/1.jpg")) == (10, 20)
    with pytest.raises(UsageError, match=r"Several images of the annotations are called 1.jpg"):
        known.of("photos/1.jpg")


def test_a_whole_name_counts_more_than_the_end_of_another(tmp_path: Path) -> None:
    assert ids(tmp_path, {"1.jpg": 10, "b/1.jpg": 20}).of("1.jpg") == 10


def test_an_image_that_the_annotations_lack_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"'lane.jpg'(.|\n)*no image of that name"):
        ids(tmp_path, {"street.jpg": 1}).check(["street.jpg", "lane.jpg"])


def test_two_images_with_one_id_are_named() -> None:
    with pytest.raises(
        UsageError, match=r"'a/1.jpg' and 'b/01.jpg' would both have the image id 1"
    ):
        ImageIds.read(None).check(["a/1.jpg", "2.jpg", "b/01.jpg"])


def test_categories_are_read_with_their_ids(tmp_path: Path) -> None:
    file = tmp_path / "instances.json"
    content = {"images": [], "categories": [{"id": 9, "name": "dog"}, {"id": 2, "name": "cat"}]}
    file.write_text(json.dumps(content))
    label_space = ImageIds.read(file).label_space
    assert label_space is not None
    assert (label_space.names, label_space.ids) == (("cat", "dog"), (2, 9))


@pytest.mark.parametrize(
    "categories",
    [
        [{"id": 1, "name": "dog"}, {"id": 2, "name": "dog"}],
        [{"id": 1}],
        [1],
        {"id": 1},
        [{"id": "x", "name": "a"}],
    ],
)
def test_categories_that_can_t_be_are_refused(tmp_path: Path, categories: object) -> None:
    file = tmp_path / "broken.json"
    file.write_text(json.dumps({"images": [], "categories": categories}))
    with pytest.raises(DataError, match=r"broken.json"):
        ImageIds.read(file)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"images": 3}', '{"images": [{"id": "x", "file_name": "a"}]}']
)
def test_a_file_without_images_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "broken.json"
    file.write_text(text)
    with pytest.raises(DataError, match=r"broken.json"):
        ImageIds.read(file)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"No such file"):
        ImageIds.read(tmp_path / "missing.json")


def test_an_image_where_annotations_belong_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "1.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(DataError, match="Byte 0 is no UTF-8, which JSON is"):
        ImageIds.read(tmp_path / "1.jpg")
