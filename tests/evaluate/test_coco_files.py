"""Reading COCO files: what is right comes in whole, what is wrong is named with its file and
record."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.data.formats.coco.instances import instances, written
from zoo.data import GroundTruth
from zoo.errors import DataError
from zoo.evaluate import EdgeCasePolicy
from zoo.evaluate.coco_files import read, read_results


def test_results_come_in_by_image_and_every_image_is_there(tmp_path: Path) -> None:
    truth = read(written(tmp_path, instances()))
    results = tmp_path / "results.json"
    results.write_text(
        json.dumps(
            [
                {
                    "image_id": 7,
                    "category_id": 90,
                    "bbox": [0, 0, 1, 1],
                    "score": 0.5,
                    "segmentation": [],
                }
            ]
        )
    )
    ids, found = read_results(results, truth)
    assert ids == [3, 7, 9]
    assert [len(one["scores"]) for one in found] == [0, 1, 0]
    assert found[1]["labels"].tolist() == [1]


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"image_id": 8}, r"Record \[1\] is of image 8"),
        ({"category_id": 5}, r"Record \[1\] is of category 5"),
        ({"bbox": [0, 0, -1, 1]}, r"Record \[1\] has a negative"),
        ({"score": "high"}, r"\$\[1\]\.score"),
    ],
)
def test_a_wrong_result_is_named_with_its_file(
    tmp_path: Path, record: dict[str, Any], message: str
) -> None:
    truth = read(written(tmp_path, instances()))
    good = {"image_id": 7, "category_id": 90, "bbox": [0, 0, 1, 1], "score": 0.5}
    results = tmp_path / "results.json"
    results.write_text(json.dumps([good, good | record]))
    with pytest.raises(DataError, match=message) as caught:
        read_results(results, truth)
    assert "results.json" in str(caught.value)


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        ([0, 1], "look like positions from 0"),
        ([1, 2], "look like positions from 1"),
        ([17, 89], "each is one less"),
        ([19, 91], "each is one more"),
        ([400], "The ids of these annotations are 18, 90: write those."),
    ],
)
def test_category_ids_that_are_counted_otherwise_are_told_how(
    tmp_path: Path, ids: list[int], said: str
) -> None:
    document = instances()
    document["categories"] = [{"id": 18, "name": "dog"}, {"id": 90, "name": "toothbrush"}]
    for one in document["annotations"]:
        one["category_id"] = 90
    truth = read(written(tmp_path, document))
    rows = [{"image_id": 7, "category_id": one, "bbox": [0, 0, 1, 1], "score": 0.5} for one in ids]
    (tmp_path / "results.json").write_text(json.dumps(rows))
    with pytest.raises(DataError) as caught:
        read_results(tmp_path / "results.json", truth)
    assert said in caught.value.fix


def test_results_of_another_data_set_are_counted(tmp_path: Path) -> None:
    truth = read(written(tmp_path, instances()))
    rows = [
        {"image_id": one, "category_id": 90, "bbox": [0, 0, 1, 1], "score": 0.5}
        for one in (100, 101)
    ]
    (tmp_path / "results.json").write_text(json.dumps(rows))
    with pytest.raises(DataError, match="0 of 2 records are of its images") as caught:
        read_results(tmp_path / "results.json", truth)
    assert "--data" in caught.value.fix


def test_utf_16_is_called_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "list.json"
    file.write_text("[]", encoding="utf-16")
    truth = GroundTruth.of(
        [1], {"image": [], "label": [], "box": np.zeros((0, 4))}, label_space=["a"]
    )
    with pytest.raises(DataError, match="It begins with the byte order mark of UTF-16"):
        read_results(file, truth)


def test_ground_truth_is_read_under_a_policy(tmp_path: Path) -> None:
    path = written(tmp_path, instances(area=...))
    assert read(path).areas.tolist() == [4, 150.5, 100]
    with pytest.raises(DataError, match=r"annotations\[1\] \(id 2, image \d+\) has no area"):
        read(path, policy=EdgeCasePolicy(missing_area="refuse"))
