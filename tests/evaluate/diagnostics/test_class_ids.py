"""Boxes in their place under other classes are told, with how the ids were probably written."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import zoo
from zoo.data import Dataset, GroundTruth
from zoo.evaluate.diagnostics.class_ids import other_classes
from zoo.labels import LabelSpace, get

COCO = get("coco80")


def street_of(ids: tuple[int, ...], labels: list[int]) -> GroundTruth:
    """One box of each of these classes, side by side in one image."""
    label_space = LabelSpace("custom", tuple(f"class {number}" for number in ids), ids)
    boxes = {
        "image": [1] * len(labels),
        "label": labels,
        "box": [[20 * row, 0, 20 * row + 15, 10] for row in range(len(labels))],
    }
    return GroundTruth.of([1], boxes, label_space=label_space)


def notes(truth: GroundTruth, written: Callable[[int], int]) -> list[str]:
    """What is said where every box is found, and its label was written in another way."""
    labels = np.array(
        [truth.label_space.label_of_id[written(label)] for label in truth.labels.tolist()]
    )
    return list(other_classes(truth, truth.images.astype(np.int64), truth.xywh, labels))


def test_right_classes_are_not_remarked_on() -> None:
    truth = street_of(tuple(range(20)), list(range(20)))
    assert notes(truth, lambda label: label) == []


@pytest.mark.parametrize(("by", "side"), [(-1, "before"), (1, "after")])
def test_ids_shifted_by_one_are_told_with_numbers(by: int, side: str) -> None:
    truth = street_of(tuple(range(20)), list(range(1, 19)))
    [note] = notes(truth, lambda label: label + by)
    assert note.startswith(
        "Of the 18 best detections 18 meet an annotated box, and only 0 of these one of their own "
        "class"
    )
    assert (
        f"Category ids look shifted by one: 18 detections have the id {side} that of the box"
        in note
    )


def test_positions_written_where_ids_leave_some_out_are_told() -> None:
    ids = COCO.ids
    truth = street_of(ids, [label for label in range(30, 80) if label in ids])
    [note] = notes(truth, lambda label: label)
    assert "Category ids look like positions from 0" in note
    truth = street_of(ids, [label for label in range(30, 79) if label + 1 in ids])
    [note] = notes(truth, lambda label: label + 1)
    assert "Category ids look like positions from 1" in note


def test_coco_s_numbers_where_classes_are_counted_through_are_told() -> None:
    truth = street_of(tuple(range(80)), list(range(30, 65)))
    [note] = notes(truth, lambda label: COCO.ids[label])
    assert "Category ids look like COCO's" in note


def test_another_order_of_the_classes_names_the_most_frequent_mix_up() -> None:
    truth = street_of((1, 2, 3, 4), [0, 0, 0, 0, 0, 0, 1, 2, 3, 0, 0, 1])
    [note] = notes(truth, lambda label: {0: 4, 1: 3, 2: 1, 3: 2}[label])
    assert "The most frequent mix-up is 'class 4' where 'class 1' is annotated, 8 times" in note


def test_a_results_list_with_shifted_ids_is_measured_and_remarked_on(
    street: Dataset, tmp_path: Path
) -> None:
    truth = street.truth
    rows = [
        {
            "image_id": int(truth.image_ids[row]),
            "category_id": truth.label_space.ids[(label + 1) % 3],
            "bbox": box.tolist(),
            "score": 0.5 + label / 10,
        }
        for row, label, box in zip(truth.images, truth.labels, truth.xywh, strict=True)
    ]
    (tmp_path / "theirs.json").write_text(json.dumps(rows))
    report = zoo.evaluate(tmp_path / "theirs.json", data=street, resamples=0)
    assert report.ap == 0
    [note] = report.measured.notes
    assert (
        "Category ids look shifted by one: 8 detections have the id after that of the box" in note
    )


@pytest.mark.slow
def test_real_detections_with_shifted_ids_are_remarked_on(shared: Path, tmp_path: Path) -> None:
    folder = shared / "coco_val2017_128"
    rows = json.loads((folder / "yolox_nano_detections.json").read_text())
    ids = [one["id"] for one in json.loads((folder / "instances.json").read_text())["categories"]]
    for row in rows:
        row["category_id"] = ids[(ids.index(row["category_id"]) + 1) % len(ids)]
    (tmp_path / "shifted.json").write_text(json.dumps(rows))
    report = zoo.evaluate(tmp_path / "shifted.json", data=folder / "instances.json", resamples=0)
    assert report.ap is not None
    assert report.ap < 0.02
    assert any("Category ids look shifted by one" in note for note in report.measured.notes)


def test_a_model_that_finds_everything_as_one_class_is_not_told_that_ids_are_shifted() -> None:
    truth = street_of((0, 1, 2), [1] * 18 + [2] * 2)
    [note] = notes(truth, lambda label: 2)
    assert "nearly all are 'class 2', whatever the box is" in note
    assert "shifted" not in note
