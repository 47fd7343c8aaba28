"""Boxes of masks, held against pycocotools."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as oracle

from tests.data.formats.coco.instances import instances, written
from zoo.data import read
from zoo.data.formats.coco.segmentation import box_and_area, unpack
from zoo.errors import DataError


@given(st.integers(1, 12), st.integers(1, 12), st.randoms(use_true_random=False), st.floats(0, 1))
def test_runs_give_the_box_and_area_of_pycocotools(height, width, random, share) -> None:
    pixels = [[random.random() < share for _ in range(width)] for _ in range(height)]
    mask = np.asfortranarray(pixels, np.uint8).reshape(height, width, order="A")
    packed = oracle.encode(np.asfortranarray(mask))
    text = packed["counts"].decode()
    counts = unpack(text)
    assert counts is not None
    plain = {"size": [height, width], "counts": counts.tolist()}
    both = [json.dumps(one).encode() for one in (plain, plain | {"counts": text})]
    if not mask.any():
        assert [box_and_area(one) for one in both] == [None, None]
        return
    wanted = tuple(oracle.toBbox(packed).tolist()), float(oracle.area(packed))
    assert [box_and_area(one) for one in both] == [wanted, wanted]


@pytest.mark.parametrize(
    "text",
    [
        *("", "null", "[]", "[[]]", "[[1, 2, 3]]", "[[1, 2]]", "7", '{"size": [2, 2]}'),
        *('{"size": [2, 2], "counts": [1, 2]}', '{"size": [2, 2], "counts": [5]}'),
        *('{"size": [2, 2], "counts": "ooo"}', '{"size": [2, 2], "counts": "\\u00ff"}'),
        '{"size": [0, 2], "counts": []}',
    ],
)
def test_what_is_no_mask_gives_nothing(text: str) -> None:
    assert box_and_area(text.encode()) is None


def test_annotations_without_a_box_have_that_of_their_mask(tmp_path: Path) -> None:
    polygon = [[1.5, 2, 9, 2, 9, 8.25], [3, 3, 4, 3, 4, 4]]
    data = read(written(tmp_path, instances(bbox=..., area=..., segmentation=polygon)))
    assert data.truth.xywh[2].tolist() == [1.5, 2, 7.5, 6.25]
    assert data.truth.areas[2] == 7.5 * 6.25
    runs = {"size": [4, 3], "counts": [5, 2, 5]}
    data = read(written(tmp_path, instances(bbox=..., area=..., segmentation=runs)))
    assert data.truth.xywh[2].tolist() == [1, 1, 1, 2]
    assert data.truth.areas[2] == 2
    data = read(written(tmp_path, instances(bbox=..., segmentation=runs)))
    assert data.truth.areas[2] == 80
    with pytest.raises(DataError, match=r"annotations\[1\] \(id .*\) has no bbox, and no mask"):
        read(written(tmp_path, instances(bbox=...)))


def test_a_byte_order_mark_ids_from_0_and_unused_categories_are_read(tmp_path: Path) -> None:
    content = instances()
    for number, one in enumerate(content["images"]):
        one["id"] = number
    for number, one in enumerate(content["annotations"]):
        one |= {"id": number, "image_id": 0, "category_id": 0}
    content["categories"] = [{"id": 0, "name": "cat"}, {"id": 1, "name": "unused"}]
    path = written(tmp_path, "\ufeff" + json.dumps(content))
    data = read(path)
    assert data.truth.image_ids.tolist() == [0, 1, 2]
    assert (data.label_space.names, data.label_space.ids) == (("cat", "unused"), (0, 1))
    assert data.truth.ids.tolist() == [0, 1, 2]
