"""Numbers of a part of the images or boxes."""

from typing import Any

import numpy as np
import pytest

from tests.evaluate.analyses.reported import BOXES, NAMES
from zoo.errors import DataError
from zoo.evaluate import CocoSettings, Evaluator, GroundTruth
from zoo.evaluate.coco_files import read, read_results


@pytest.fixture(scope="module")
def sliced(shared) -> tuple[GroundTruth, list[Any], list[dict[str, Any]]]:
    truth = read(shared / "coco_val2017_128/instances.json")
    ids, found = read_results(shared / "coco_val2017_128/yolox_nano_detections.json", truth)
    return truth, ids, found


def test_a_slice_of_images_is_what_those_images_alone_give(sliced) -> None:
    truth, ids, found = sliced
    images = {
        "id": truth.image_ids,
        "wide": truth.image_attributes["width"] > truth.image_attributes["height"],
    }
    boxes = {
        "image": truth.image_ids[truth.images],
        "label": truth.labels,
        "box": truth.xywh,
        "area": truth.areas,
        "id": truth.ids,
    }
    whole = Evaluator(
        GroundTruth.of(images, boxes, label_space=truth.label_space, box_format="xywh")
    )
    whole.update(ids, found, box_format="xywh")
    slices = whole.by_image("wide")
    assert set(slices) == {False, True}
    for wide, numbers in slices.items():
        rows = images["wide"] == wide
        inside = rows[truth.images]
        part = {key: value[inside] for key, value in boxes.items()}
        alone = Evaluator(
            GroundTruth.of(
                truth.image_ids[rows], part, label_space=truth.label_space, box_format="xywh"
            )
        )
        alone.update(
            truth.image_ids[rows],
            [one for one, there in zip(found, rows, strict=True) if there],
            box_format="xywh",
        )
        assert alone.numbers() == numbers
    with pytest.raises(DataError, match=r"have these: wide"):
        whole.by_image("weather")


def test_a_slice_of_boxes_leaves_the_other_boxes_out_without_harm() -> None:
    boxes = {**BOXES, "occluded": ["no", "yes", "no", "no"]}
    truth = GroundTruth.of([1, 2], boxes, label_space=NAMES)
    evaluator = Evaluator(truth, settings=CocoSettings(slices=("occluded",)))
    found = {
        "boxes": np.array([[0.0, 0, 100, 100], [200, 0, 300, 100]]),
        "scores": np.array([0.9, 0.8]),
        "labels": np.array([0, 1]),
    }
    evaluator.update([1], [found])
    evaluator.update([2], [{column: values[:0] for column, values in found.items()}])
    numbers = evaluator.numbers()
    assert numbers["AP[occluded=yes]"] == pytest.approx(
        1
    )  # the one occluded dog was found; the dog in image 2 is left out
    assert numbers["AR[occluded=no]"] == pytest.approx(0.25)  # one of two cats, none of one dog
    with pytest.raises(DataError, match="have these attributes: occluded"):
        Evaluator(truth, settings=CocoSettings(slices=("truncated",)))
