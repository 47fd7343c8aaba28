"""Results and annotations that look wrong are measured, and the report's notes say so."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zoo
from zoo.data import Dataset
from zoo.evaluate import EdgeCasePolicy, Predictions, Report
from zoo.evaluate.diagnostics.diagnostics import AllDetections, diagnose


def listed(street: Dataset, file: Path, **changes: object) -> Path:
    """A results list that finds every box."""
    truth = street.truth
    rows = [
        {
            "image_id": int(truth.image_ids[row]),
            "category_id": truth.label_space.ids[label],
            "bbox": box.tolist(),
            "score": 0.5,
        }
        for row, label, box in zip(truth.images, truth.labels, truth.xywh, strict=True)
    ]
    file.write_text(
        json.dumps(
            [row | {name: change(row[name]) for name, change in changes.items()} for row in rows]
        )
    )  # type: ignore[operator]
    return file


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        (
            {"bbox": lambda box: [box[0], box[1], box[0] + box[2], box[1] + box[3]]},
            "were corners written where COCO has sizes",
        ),
        (
            {"bbox": lambda box: [box[0] + box[2] / 2, box[1] + box[3] / 2, *box[2:]]},
            "were centres written where COCO has corners",
        ),
        (
            {"bbox": lambda box: [side / 200 for side in box]},
            "fractions of the image, not pixels",
        ),
        (
            {"bbox": lambda box: [box[0] + 900, *box[1:]]},
            "All 12 detections lie wholly outside of the image",
        ),
        (
            {"bbox": lambda box: [3 * side for side in box[:2]] + box[2:]},
            "12 detections|reach beyond the edge",
        ),
        (
            {"score": lambda _: 87},
            "All 12 scores lie outside of 0 to 1, from 87 to 87: are they percentages",
        ),
        ({"score": lambda _: -3}, "are they logits"),
    ],
    ids=["corners", "centres", "fractions", "outside", "not scaled", "percentages", "logits"],
)
def test_a_list_that_looks_wrong_is_measured_and_remarked_on(
    street: Dataset, tmp_path: Path, changes: dict[str, object], note: str
) -> None:
    report = zoo.evaluate(
        listed(street, tmp_path / "theirs.json", **changes), data=street, resamples=0
    )
    [said] = report.measured.notes
    assert re.search(note, said)
    assert Report.from_json(report.to_json()) == report
    assert str(report).endswith(said)


@pytest.mark.parametrize(
    ("scale", "note"),
    [
        (
            lambda record: (416 / max(record.width, record.height),) * 2,
            "scaled back from 416 pixels many more would",
        ),
        (
            lambda record: (300 / record.width, 300 / record.height),
            "scaled back from 300×300 pixels many more would",
        ),
    ],
    ids=["fitted", "stretched"],
)
def test_boxes_of_the_size_that_a_network_saw_are_remarked_on(
    street: Dataset, tmp_path: Path, scale: Callable[[Any], tuple[float, float]], note: str
) -> None:
    file = listed(street, tmp_path / "theirs.json")
    sizes = {record.id: 2 * scale(record) for record in street.images}
    rows = [
        row
        | {
            "bbox": [
                side * by for side, by in zip(row["bbox"], sizes[row["image_id"]], strict=True)
            ]
        }
        for row in json.loads(file.read_text())
    ]
    file.write_text(json.dumps(rows))
    assert any(note in said for said in zoo.evaluate(file, data=street, resamples=0).measured.notes)


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (
            lambda boxes: boxes + [one | {"id": one["id"] + 10**6} for one in boxes],
            "12 of 24 annotated boxes repeat another one",
        ),
        (
            lambda boxes: [one | {"bbox": [side / 400 for side in one["bbox"]]} for one in boxes],
            "boxes lie in the first two pixels",
        ),
        (
            lambda boxes: [one | {"area": 0} for one in boxes],
            "All 12 annotated areas do not fit the box",
        ),
        (
            lambda boxes: [one | {"area": 5 * one["area"]} for one in boxes],
            "All 12 annotated areas do not fit the box",
        ),
        (
            lambda boxes: [one | {"area": None} for one in boxes],
            "All 12 annotated boxes have no `area`, and that of the box",
        ),
        (
            lambda boxes: [
                {**boxes[0], "bbox": [5, 5, 0, 9]},
                {**boxes[1], "bbox": [900, 5, 9, 9]},
                *boxes[2:],
            ],
            "2 of 12 annotated boxes are 1 without area and 1 wholly outside of the image, and "
            "can't be found: "
            "over all boxes recall can't exceed 83.3 %",
        ),
    ],
    ids=[
        "joined twice",
        "fractions",
        "no areas",
        "areas of another size",
        "areas unknown",
        "never found",
    ],
)
def test_annotations_that_look_wrong_are_measured_and_remarked_on(
    street: Dataset,
    tmp_path: Path,
    change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]],
    note: str,
) -> None:
    truth = street.truth
    columns = zip(
        truth.ids.tolist(),
        truth.images,
        truth.labels,
        truth.xywh.tolist(),
        truth.areas.tolist(),
        strict=True,
    )
    boxes = [
        {
            "id": number,
            "image_id": int(truth.image_ids[row]),
            "category_id": truth.label_space.ids[label],
            "bbox": box,
            "area": area,
        }
        for number, row, label, box, area in columns
    ]
    file = tmp_path / "instances.json"
    images = [
        {"id": one.id, "file_name": f"{one.id}.png", "width": one.width, "height": one.height}
        for one in street.images
    ]
    categories = [
        {"id": key, "name": name}
        for key, name in zip(truth.label_space.ids, truth.label_space.names, strict=True)
    ]
    file.write_text(
        json.dumps({"images": images, "categories": categories, "annotations": change(boxes)})
    )
    report = zoo.evaluate(
        listed(street, tmp_path / "theirs.json"), data=f"coco:{file}", resamples=0
    )
    assert [one for one in report.measured.notes if note in one]


def test_equal_scores_and_boxes_without_area_are_remarked_on(
    street: Dataset, tmp_path: Path
) -> None:
    file = listed(street, tmp_path / "theirs.json", bbox=lambda box: [*box[:2], 0, 0])
    rows = json.loads(file.read_text())
    file.write_text(
        json.dumps(
            [
                row | {"bbox": [row["bbox"][0], row["bbox"][1] + up, 0, 0]}
                for row in rows
                for up in (0, 1)
            ]
        )
    )
    notes = zoo.evaluate(file, data=street, resamples=0).measured.notes
    assert "All 24 detections have no area, and can match nothing." in notes
    assert "All 24 scores are 0.5: AP ranks by them, and here it can't." in notes


def test_a_list_that_was_joined_with_itself_is_remarked_on(street: Dataset, tmp_path: Path) -> None:
    file = listed(street, tmp_path / "theirs.json")
    file.write_text(json.dumps(2 * json.loads(file.read_text())))
    note, *_ = zoo.evaluate(file, data=street, resamples=0).measured.notes
    assert note.startswith("12 of 24 detections repeat another one in image, class, box and score")


def test_images_that_a_list_does_not_mention_are_counted(street: Dataset, tmp_path: Path) -> None:
    file = listed(street, tmp_path / "theirs.json")
    file.write_text(
        json.dumps([row for row in json.loads(file.read_text()) if row["image_id"] > 2])
    )
    report = zoo.evaluate(file, data=street, resamples=0)
    assert report.measured.images == 6
    assert report.measured.notes[0].startswith("The results list does not mention 2 of 6 images")
    rest = zoo.evaluate(
        file, data=street, resamples=0, policy=EdgeCasePolicy(unseen_images="leave out")
    )
    assert (rest.measured.images, rest.ap) == (4, pytest.approx(1))


def test_a_sound_list_has_no_remark(street: Dataset, tmp_path: Path, shared: Path) -> None:
    assert (
        zoo.evaluate(
            listed(street, tmp_path / "theirs.json"), data=street, resamples=0
        ).measured.notes
        == ()
    )
    folder = shared / "coco_val2017_128"
    report = zoo.evaluate(
        folder / "yolox_nano_detections.json", data=folder / "instances.json", resamples=0
    )
    assert [note for note in report.measured.notes if "does not mention" not in note] == []


def test_annotated_boxes_beyond_their_image_are_remarked_on(
    perfect: Callable[..., Predictions], street: Dataset
) -> None:
    small = [replace(record, width=20) if record.id == 3 else record for record in street.images]
    sizes = np.array([[record.height, record.width] for record in small], np.int32)
    report = zoo.evaluate(
        perfect(street, sizes=sizes),
        data=Dataset("street", tuple(small), street.truth),
        resamples=0,
    )
    said = (
        "2 of 12 annotated boxes reach beyond the image by more than a pixel, the first of them "
        "annotation 5 of image 3"
    )
    assert any(note.startswith(said) for note in report.measured.notes)


def test_many_weak_detections_of_other_classes_are_not_remarked_on(street: Dataset) -> None:
    truth = street.truth
    count, times = len(truth.labels), 5
    scores = np.linspace(0.9, 0.1, (1 + times) * count)
    labels = np.tile(truth.labels, 1 + times).astype(np.int64)
    labels[count:] = (labels[count:] + 1) % len(truth.label_space)
    rows = np.tile(truth.images, 1 + times).astype(np.int64)
    sides = np.tile(truth.xywh.T, 1 + times)
    sides[0, count:] += 0.01 * np.arange(times * count)  # none repeats another
    assert not any(
        "class" in note for note in diagnose(street, AllDetections(rows, sides, scores, labels))
    )
    swapped = AllDetections(rows[count:], sides[:, count:], scores[count:], labels[count:])
    assert any("class" in note for note in diagnose(street, swapped))
