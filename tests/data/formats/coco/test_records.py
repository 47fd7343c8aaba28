"""COCO's files record by record: other tools' spellings of a number are one, by either reader."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from zoo.data.formats.coco.records import (
    Instances,
    Results,
    careful_instances,
    careful_results,
    read_instances,
    read_names,
    read_results,
)
from zoo.errors import DataError

IMAGE = {"id": 1, "file_name": "1.jpg", "width": 64, "height": 48}
CATEGORY = {"id": 3, "name": "cat", "supercategory": "animal"}
BOX = {"id": 1, "image_id": 1, "category_id": 3, "bbox": [8, 5, 50, 50], "area": 9, "iscrowd": 0}
FOUND = {"image_id": 1, "category_id": 3, "bbox": [8, 5, 50, 50], "score": 0.9}


def instances(**changes: Any) -> memoryview:
    document = {"images": [IMAGE], "categories": [CATEGORY], "annotations": [BOX | changes, BOX]}
    return memoryview(json.dumps(document).encode())


def results(**changes: Any) -> memoryview:
    return memoryview(json.dumps([FOUND | changes, FOUND]).encode())


@pytest.mark.parametrize("read", [read_instances, careful_instances])
def test_instances_come_in_as_columns(read: Callable[..., Instances]) -> None:
    file = read(instances(), "file")
    assert file.image_ids.tolist() == [1]
    assert file.files == ["1.jpg"]
    assert file.sizes.tolist() == [[64, 48]]
    assert [(one.id, one.name, one.supercategory) for one in file.declared] == [
        (3, "cat", "animal")
    ]
    assert (file.ids.tolist(), file.images.tolist()) == ([1, 1], [1, 1])
    assert file.boxes.tolist() == [[8, 5, 50, 50]] * 2
    assert (file.areas.tolist(), file.crowd.tolist()) == ([9, 9], [0, 0])


@pytest.mark.parametrize("read", [read_instances, careful_instances])
@pytest.mark.parametrize(
    ("changes", "column", "value"),
    [
        ({"id": None}, "ids", -1),
        ({"id": "1"}, "ids", 1),
        ({"image_id": 1.0}, "images", 1),
        ({"category_id": "3"}, "categories", 3),
        ({"iscrowd": True}, "crowd", 1),
        ({"iscrowd": None}, "crowd", 0),
        ({"iscrowd": -1}, "crowd", 0),
        ({"area": None}, "areas", np.nan),
    ],
)
def test_a_number_that_is_written_otherwise_is_the_same(
    read: Callable[..., Instances], changes: dict[str, Any], column: str, value: float
) -> None:
    found = getattr(read(instances(**changes), "file"), column)
    np.testing.assert_equal(float(found[0]), float(value))


@pytest.mark.parametrize("read", [read_results, careful_results])
@pytest.mark.parametrize("changes", [{"image_id": "1"}, {"image_id": 1.0}, {"category_id": "3"}])
def test_results_that_mean_the_same_are_the_same(
    read: Callable[..., Results], changes: dict[str, Any]
) -> None:
    file = read(results(**changes), "file")
    assert list(map(str, file.images.tolist())) == ["1", "1"]
    assert file.categories.tolist() == [3, 3]
    assert file.scores.tolist() == [0.9, 0.9]


@pytest.mark.parametrize("read", [read_results, careful_results])
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image_id": True}, r"Record \[0\] has the image id True"),
        ({"image_id": 2**63}, r"Record \[0\] has the image id 9223372036854775808"),
        ({"image_id": None}, r"Record \[0\] has the image id None"),
        ({"category_id": "cat"}, r"Record \[0\] has the category 'cat'"),
        ({"category_id": 0.5}, r"Record \[0\] has the category 0\.5"),
        ({"bbox": [1, 2, 3]}, r"\$\[0\]\.bbox"),
        ({"score": None}, r"\$\[0\]\.score"),
    ],
)
def test_a_record_that_can_not_be_is_named(
    read: Callable[..., Results], changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read(results(**changes), "file")


def test_names_are_enough_for_image_ids() -> None:
    document = {"images": [IMAGE, {"id": 7}], "annotations": [{"category_id": 3}]}
    ids, categories, used = read_names(memoryview(json.dumps(document).encode()), "file")
    assert ids == {"1.jpg": 1, "7.jpg": 7}
    assert (categories, used) == ([], {3})


def test_results_may_be_a_line_each() -> None:
    text = "\n".join(map(json.dumps, [FOUND, FOUND | {"score": 0.5}])).encode()
    assert read_results(memoryview(text), "file", lines=True).scores.tolist() == [0.9, 0.5]
