"""COCO's `instances.json`: what it holds comes in as it is, and what can't be is named with its
file and record."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.data.formats.coco.instances import instances, written
from zoo.data import GroundTruth
from zoo.data.formats.coco.options import CocoOptions
from zoo.data.formats.coco.reader import read_file
from zoo.errors import DataError


def read(path: Path, **options: Any) -> GroundTruth:
    return read_file(path, CocoOptions(**options)).truth


def test_boxes_come_in_by_image_then_class_with_categories_by_id(tmp_path: Path) -> None:
    truth = read(written(tmp_path, instances()))
    assert truth.image_ids.tolist() == [3, 7, 9]
    assert truth.label_space.names == ("cat", "dog")
    assert truth.label_space.ids == (3, 90)
    assert truth.ids.tolist() == [5, 1, 2]
    assert truth.images.tolist() == [0, 1, 1]
    assert truth.labels.tolist() == [0, 0, 1]
    assert truth.xywh.tolist() == [[1, 1, 2, 2], [0, 0, 10, 20], [5, 5, 10, 10]]
    assert truth.areas.tolist() == [4, 150.5, 80]
    assert truth.crowd.tolist() == [True, False, False]
    assert truth.image_attributes["width"].tolist() == [0, 30, 8]


def test_a_missing_area_is_the_box_s_or_refused_and_a_missing_iscrowd_is_0(tmp_path: Path) -> None:
    path = written(tmp_path, instances(area=..., iscrowd=...))
    assert read(path).areas.tolist() == [4, 150.5, 100]
    with pytest.raises(DataError, match=r"annotations\[1\] \(id 2, image 7\) has no area"):
        read(path, missing_area="refuse")


def test_images_may_be_named_by_text_but_not_by_both(tmp_path: Path) -> None:
    content = instances(image_id="seven")
    content["images"].append({"id": "seven"})
    with pytest.raises(DataError, match="Some image ids are numbers and some are text"):
        read(written(tmp_path, content))
    text = {"images": [{"id": "b"}, {"id": "a"}], "categories": [{"id": 0, "name": "cat"}]}
    assert read(written(tmp_path, text)).image_ids.tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("changes", "record"),
    [
        ({"bbox": [0, 0, -1, 5]}, r"Annotation 2 of image 7, record \[1\], has a negative width"),
        ({"bbox": [0, 0, 1e300, 5]}, r"Annotation 2 of image 7, record \[1\], has a coordinate"),
        ({"bbox": [0, 0, 1]}, r"annotations\[1\] \(id 2, image 7\) has the bbox \[0, 0, 1\], not"),
        ({"bbox": "wide"}, 'has the bbox "wide", not four numbers'),
        (
            {"bbox": [0, 0, None, 1]},
            r"has the bbox \[0, 0, null, 1\], not four numbers",
        ),
        ({"area": -3}, r"Annotation 2 of image 7, record \[1\], has an area"),
        ({"category_id": 4}, r"annotations\[1\] \(id 2, image 7\) has category 4"),
        (
            {"category_id": "dog"},
            r"annotations\[1\] .* has the category_id \"dog\", not a whole number",
        ),
        ({"image_id": 8}, "Image 8 is not in"),
        ({"image_id": ...}, r"annotations\[1\] \(id 2\) has no image_id"),
        ({"id": 1}, "Annotation id 1 is there twice"),
        ({"id": 10**30}, r"annotations\[1\] .* has the id 10{30}, not a whole number of 64 bits"),
        (
            {"id": 2**63},
            r"annotations\[1\] .* has the id 9223372036854775808, not a whole number of 64 bits",
        ),
        ({"id": True}, r"annotations\[1\] .* has the id true"),
        ({"image_id": None}, r"annotations\[1\] .* has the image_id null"),
        ({"iscrowd": 2}, r"annotations\[1\] .* has the iscrowd 2, not 0 or 1"),
        ({"iscrowd": "no"}, r"annotations\[1\] .* has the iscrowd \"no\", not 0 or 1"),
    ],
)
def test_a_wrong_annotation_is_named_with_its_file(
    tmp_path: Path, changes: dict[str, Any], record: str
) -> None:
    with pytest.raises(DataError, match=record) as caught:
        read(written(tmp_path, instances(**changes)))
    assert "instances.json" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "empty"),
        ("[]", "It is a list, as detections are"),
        ("{}", "images"),
        ('{"images": [', "was read"),
        ('{"images": [{"id": NaN}]}', "Byte 19 begins NaN"),
        ("\x00\x01\x02", "was read"),
        ("[" * 2_000_000, "It is a list|nested too deeply"),
        ('{"images": [], "categories": [], "extra": ' + "[" * 2_000_000, "nested too deeply"),
    ],
    ids=[
        "empty",
        "a list",
        "nothing inside",
        "truncated",
        "NaN",
        "not JSON",
        "nesting",
        "nesting in a field that is skipped",
    ],
)
def test_a_broken_file_is_an_error_that_names_it(
    tmp_path: Path, content: str, message: str
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read(written(tmp_path, content))
    assert "instances.json was" in str(caught.value)


def test_duplicates_are_named(tmp_path: Path) -> None:
    content = instances()
    content["images"].append({"id": 7})
    with pytest.raises(DataError, match="Image 7 is listed twice"):
        read(written(tmp_path, content))
    content = instances()
    content["categories"].append({"id": 3, "name": "bird"})
    with pytest.raises(DataError, match="Category id 3 is declared twice, as 'cat' and 'bird'"):
        read(written(tmp_path, content))


def test_a_million_boxes_in_one_image_are_refused(tmp_path: Path) -> None:
    one = (
        '{"id": %d, "image_id": 3, "category_id": 3, "bbox": [0, 0, 1, 1], "area": 1, "iscrowd": 0}'
    )
    content = instances()
    head = json.dumps({**content, "annotations": []}).replace(
        '"annotations": []', '"annotations": [%s]'
    )
    path = written(tmp_path, head % ", ".join(one % number for number in range(1, 1_000_001)))
    with pytest.raises(DataError, match="Image 3 has 1000000 boxes"):
        read(path)


def test_a_file_that_is_not_there_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nothing\.json' can't be read"):
        read(tmp_path / "nothing.json")


@pytest.mark.parametrize(
    "wrong", [{"width": -8}, {"height": "tall"}, {"file_name": 5}, {"width": 10**12}]
)
def test_a_wrong_image_record_is_named(tmp_path: Path, wrong: dict) -> None:
    content = instances()
    content["images"][0] |= wrong
    file = written(tmp_path, content)
    with pytest.raises(
        DataError,
        match=r"instances\.json was read\.\nimages\[0\] \(id 7\) has the " + next(iter(wrong)),
    ):
        read(file)


def test_a_category_that_is_there_twice_is_the_file_s_mistake(tmp_path: Path) -> None:
    content = instances()
    content["categories"].append({"id": 4, "name": "cat"})
    file = written(tmp_path, content)
    with pytest.raises(DataError, match=r"instances\.json was read(.|\n)*names a class twice: cat"):
        read(file)
