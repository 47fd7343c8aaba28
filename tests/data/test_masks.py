"""Masks of data sets that are put together or cut into parts."""

import json
from pathlib import Path

import numpy as np
import pytest

from zoo.data import read
from zoo.data.merge import merge


def made(folder: Path, *, first: int) -> Path:
    """One image with a square, a mask in run lengths, and an object without a mask."""
    ring = [2, 3, 8, 3, 8, 9, 2, 9]
    runs = {"size": [20, 30], "counts": [0, 20, 580]}
    segmentations = [[ring], runs, []]
    annotations = [
        {"id": first + row, "image_id": 1, "category_id": 1, "bbox": [row, 3, 6, 6], "area": 36}
        for row in range(3)
    ]
    for annotation, segmentation in zip(annotations, segmentations, strict=True):
        annotation["segmentation"] = segmentation
    document = {
        "images": [{"id": 1, "file_name": "a.png", "width": 30, "height": 20}],
        "annotations": annotations,
        "categories": [{"id": 1, "name": "square"}],
    }
    folder.mkdir(exist_ok=True)
    (folder / "instances.json").write_text(json.dumps(document))
    return folder / "instances.json"


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
    assert whole.masks.known(np.append(whole.truth.ids, 999)).tolist() == [
        True,
        True,
        False,
    ] * 2 + [False]
