import contextlib
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools.coco import COCO

from zoo import labels
from zoo.detections import Detections
from zoo.errors import LabelError
from zoo.labels import LabelSpace


def test_results_have_the_data_sets_ids_and_widths(street: Detections) -> None:
    car, person, dog = street.to_coco(139)
    assert car == {
        "image_id": 139,
        "category_id": 3,
        "bbox": [1, 1, 10, 10],
        "score": pytest.approx(0.9),
    }
    assert (person["category_id"], dog["category_id"]) == (1, 18)
    assert dog["bbox"] == pytest.approx([50, 50, 10, 20.3])


@given(st.data())
def test_results_come_back_exactly(any_detections, data) -> None:
    seen = data.draw(any_detections)
    written = json.loads(json.dumps(seen.to_coco(1)))
    assert Detections.from_coco(written, label_space="coco80", size=seen.size).equals(seen)


def test_pycocotools_loads_the_results(street: Detections) -> None:
    truth = COCO()
    truth.dataset = {
        "images": [{"id": 7}],
        "categories": [{"id": number} for number in labels.get("coco80").ids],
        "annotations": [],
    }
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        loaded = truth.loadRes(street.to_coco(7))
    assert [one["category_id"] for one in loaded.loadAnns(loaded.getAnnIds())] == [3, 1, 18]


def test_stored_results_of_a_real_detector_are_read_and_written(shared: Path) -> None:
    every = json.loads((shared / "coco_val2017_128" / "yolox_nano_detections.json").read_text())
    some = [one for one in every if one["image_id"] == 139]
    seen = Detections.from_coco(some, label_space="coco80")
    assert seen[0].class_names == ["tv"]
    again = sorted(seen.to_coco(139), key=lambda one: -one["score"])
    wanted = sorted(some, key=lambda one: -one["score"])
    assert [one["category_id"] for one in again] == [one["category_id"] for one in wanted]
    for ours, theirs in zip(again, wanted, strict=True):
        assert ours["bbox"] == pytest.approx(theirs["bbox"], abs=1e-4)


def test_an_id_of_another_data_set_is_refused() -> None:
    with pytest.raises(
        LabelError, match="Category id 12 is none of its ids, which go from 1 to 90"
    ):
        Detections.from_coco(
            [{"image_id": 1, "category_id": 12, "bbox": [0, 0, 1, 1], "score": 0.5}],
            label_space="coco80",
        )


def test_several_images_are_refused(street: Detections) -> None:
    with pytest.raises(ValueError, match="2 images"):
        Detections.from_coco(street.to_coco(1) + street.to_coco(2), label_space="coco80")


@pytest.mark.parametrize(
    "entry",
    [
        {"category_id": 1, "bbox": [0, 0, 1], "score": 0.5},
        {"category_id": 1, "bbox": [0, 0, 1, 1]},
        {"category_id": "person", "bbox": [0, 0, 1, 1], "score": 0.5},
        {"category_id": 1, "bbox": [0, 0, 1, 1], "score": "high"},
        ["person", 0.5],
    ],
)
def test_what_is_no_result_is_refused_by_field(entry) -> None:
    with pytest.raises(
        ValueError, match=r"not COCO results.*\$\[0\]|not COCO results.*missing required field"
    ):
        Detections.from_coco([entry], label_space="coco80")


def test_negative_widths_are_refused() -> None:
    with pytest.raises(ValueError, match="x1 <= x2"):
        Detections.from_coco(
            [{"category_id": 1, "bbox": [5, 5, -2, 1], "score": 0.5}], label_space="coco80"
        )


def test_results_may_have_the_category_ids_of_another_label_space() -> None:
    ours = LabelSpace("custom", ("stop sign", "person", "bench"), (13, 1, 15))
    theirs = LabelSpace("custom", ("person", "Stop-Sign"), (0, 11))
    seen = Detections.of(
        [[0, 0, 4, 4]] * 3, [0.9, 0.8, 0.7], ["stop sign", "bench", "person"], label_space=ours
    )
    assert [row["category_id"] for row in seen.to_coco(image_id=1)] == [13, 15, 1]
    rows = seen.to_coco(image_id=1, label_space=theirs)
    assert [(row["category_id"], round(row["score"], 1)) for row in rows] == [(11, 0.9), (0, 0.7)]
