"""Masks of data sets that are put together or cut into parts."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.data.masked_squares import made
from zoo.data import Dataset, convert, read
from zoo.data.formats.coco.masks import CocoMasks
from zoo.data.masks import FewerMasks
from zoo.data.merge import merge


@pytest.mark.parametrize("second", [5, 50])
def test_data_sets_that_are_merged_or_split_keep_their_masks(tmp_path: Path, second: int) -> None:
    parts = {
        "one": read(made(tmp_path / "one", first=5)),
        "two": read(made(tmp_path / "two", first=second)),
    }
    whole = merge("both", parts)
    for row in range(2):
        for data in (whole, whole.subset([row])):
            masks = data.target(row if data is whole else 0, mask_size=(20, 30)).masks
            assert masks is not None
            assert masks.sum(dim=(1, 2)).tolist() == [36, 20, 0]
    assert whole.masks is not None
    assert whole.masks.exist(np.append(whole.truth.ids, 999)).tolist() == [
        True,
        True,
        False,
    ] * 2 + [False]


def pixels(data: Dataset) -> list[list[int]]:
    """How many each object's mask has, image by image."""
    targets = [data.target(row, mask_size=(20, 30)) for row in range(len(data))]
    return [target.masks.sum(dim=(1, 2)).tolist() for target in targets if target.masks is not None]


def test_converted_to_coco_objects_keep_their_masks_as_they_were_written(tmp_path: Path) -> None:
    data = read(made(tmp_path / "one", first=5))
    Image.new("RGB", (30, 20)).save(tmp_path / "one" / "a.png")
    convert(data, f"coco:{tmp_path / 'again'}")
    written = json.loads((tmp_path / "again" / "instances.json").read_text())["annotations"]
    source = json.loads((tmp_path / "one" / "instances.json").read_text())["annotations"]
    assert [one.get("segmentation", []) for one in written] == [
        one["segmentation"] for one in source
    ]
    assert pixels(read(f"coco:{tmp_path / 'again'}")) == [[36, 20, 0]]


def test_the_splits_of_a_folder_are_written_with_their_masks(tmp_path: Path) -> None:
    parts = {name: read(made(tmp_path / name, first=5)) for name in ("train", "val")}
    convert(merge("both", parts), f"coco:{tmp_path / 'again'}", images="none")
    assert pixels(read(f"coco:{tmp_path / 'again'}")) == [[36, 20, 0]] * 2


def test_masks_that_are_taken_away_have_no_pixel_and_are_not_written(tmp_path: Path) -> None:
    masks = read(made(tmp_path, first=5)).masks
    assert masks is not None
    fewer, ids = FewerMasks(masks, np.array([5])), np.array([5, 6, 7])
    assert fewer.exist(ids).tolist() == [False, True, False]
    assert fewer.of(ids, (20, 30)).sum(axis=(1, 2)).tolist() == [0, 20, 0]
    assert [bool(text) for text in fewer.segmentations(ids)] == [False, True, False]


def test_of_two_masks_with_one_id_the_first_is_its(tmp_path: Path) -> None:
    file = made(tmp_path, first=5)
    content = json.loads(file.read_text())
    content["annotations"][1]["id"] = 5
    file.write_text(json.dumps(content))
    masks = CocoMasks(file)
    assert masks.of(np.array([5]), (20, 30)).sum() == 36
