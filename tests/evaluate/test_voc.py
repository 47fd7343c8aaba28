"""VOC's AP: the known answers of two public evaluators, and its own rules."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zoo.errors import DataError, UsageError
from zoo.evaluate import GroundTruth, voc
from zoo.labels import LabelSpace


def read_folders(
    truth: Path, found: Path, *, sizes: bool
) -> tuple[GroundTruth, list[str], list[dict[str, Any]]]:
    """Text files, an image each: `class [score] four numbers`; corners, or left, top, width,
    height where `sizes`."""
    names = sorted(path.stem for path in truth.glob("*.txt"))
    boxes = [
        (name, line.split())
        for name in names
        for line in (truth / f"{name}.txt").read_text().splitlines()
        if line.strip()
    ]
    label_space = LabelSpace.custom(sorted({parts[0] for _, parts in boxes}))
    table = {
        "image": [name for name, _ in boxes],
        "label": [label_space.label(parts[0]) for _, parts in boxes],
        "box": np.array([parts[1:] for _, parts in boxes], float),
    }
    detections = []
    for name in names:
        lines = [
            line.split()
            for line in (found / f"{name}.txt").read_text().splitlines()
            if line.strip()
        ]
        lines = [parts for parts in lines if parts[0] in label_space.names]
        detections.append(
            {
                "boxes": np.array([parts[2:] for parts in lines], float).reshape(-1, 4),
                "scores": np.array([parts[1] for parts in lines], float),
                "labels": np.array([label_space.label(parts[0]) for parts in lines], int),
            }
        )
    return (
        GroundTruth.of(
            names, table, label_space=label_space, box_format="xywh" if sizes else "xyxy"
        ),
        names,
        detections,
    )


@pytest.mark.parametrize(
    ("iou", "eleven", "every"),
    [
        (0.1, 0.3333333333, 0.3371980676),
        (0.3, 0.2683982683, 0.2456866804),
        (0.5, 0.0303030303, 0.0222222222),
        (0.75, 0, 0),
    ],
)
def test_the_known_answers_of_object_detection_metrics(shared, iou, eleven, every) -> None:
    folder = shared / "eval_reference/voc_case_1"
    truth, names, found = read_folders(folder / "gts", folder / "dets", sizes=True)
    for points, expected in (("eleven", eleven), ("every", every)):
        got = voc.measure(truth, names, found, iou=iou, points=points, box_format="xywh")
        assert got.mean == pytest.approx(expected, abs=1e-10)


def test_the_known_answers_of_cartucho_map_class_by_class(shared) -> None:
    folder = shared / "eval_reference/cartucho_map"
    truth, names, found = read_folders(
        folder / "ground-truth", folder / "detection-results", sizes=False
    )
    expected = {
        line.split(" = ")[1].removesuffix(" AP "): float(line.split("%")[0])
        for line in (folder / "expected_output_main.py.txt").read_text().splitlines()
        if line.endswith(" AP ")
    }
    got = voc.measure(truth, names, found)
    assert {
        name: round(100 * value, 2) for name, value in got.per_class.items() if value is not None
    } == expected
    assert round(100 * (got.mean or 0), 2) == 31.05
    assert round(100 * (voc.measure(truth, names, found, pixels=False).mean or 0), 2) != 31.05


def one_image(boxes: list[list[float]], *, difficult: list[bool]) -> GroundTruth:
    table = {
        "image": [1] * len(boxes),
        "label": [0] * len(boxes),
        "box": boxes,
        "difficult": difficult,
    }
    return GroundTruth.of([1], table, label_space=["thing"])


def test_a_difficult_box_neither_counts_nor_harms() -> None:
    truth = one_image([[0, 0, 9, 9], [50, 50, 59, 59]], difficult=[False, True])
    found = {"boxes": [[50.0, 50, 59, 59], [0, 0, 9, 9]], "scores": [0.9, 0.8], "labels": [0, 0]}
    assert voc.measure(truth, [1], [found]).mean == 1


def test_a_second_detection_of_a_box_is_false_even_where_another_box_is_near() -> None:
    truth = one_image([[0, 0, 99, 99], [0, 0, 99, 79]], difficult=[False, False])
    found = {"boxes": [[0.0, 0, 99, 99], [0, 0, 99, 98]], "scores": [0.9, 0.8], "labels": [0, 0]}
    assert voc.measure(truth, [1], [found]).mean == 0.5


def test_a_class_without_boxes_has_no_ap_and_no_part_in_the_mean() -> None:
    truth = GroundTruth.of(
        [1], {"image": [1], "label": [0], "box": [[0, 0, 9, 9]]}, label_space=["thing", "other"]
    )
    found = {"boxes": [[0.0, 0, 9, 9]], "scores": [0.9], "labels": [1]}
    assert voc.measure(truth, [1], [found]) == voc.VocReport(0.0, {"thing": 0.0, "other": None})


@pytest.mark.parametrize(
    "wrong", [{"points": "elevn"}, {"iou": 0}, {"iou": 1.5}, {"iou": True}, {"box_format": "yxyx"}]
)
def test_what_voc_has_not_is_refused_by_name(wrong: dict) -> None:
    truth = GroundTruth.of(
        [1], {"image": [1], "label": [0], "box": [[0, 0, 9, 9]]}, label_space=["thing"]
    )
    with pytest.raises(UsageError, match=next(iter(wrong))):
        voc.measure(
            truth, [1], [{"boxes": [[0.0, 0, 9, 9]], "scores": [0.9], "labels": [0]}], **wrong
        )


def two_images() -> GroundTruth:
    boxes = {"image": [1, 2], "label": [0, 0], "box": [[0, 0, 9, 9], [0, 0, 9, 9]]}
    return GroundTruth.of([1, 2], boxes, label_space=["thing"])


def seen(*boxes: list[float]) -> dict[str, Any]:
    return {
        "boxes": np.array(boxes, float).reshape(-1, 4),
        "scores": np.full(len(boxes), 0.5),
        "labels": np.zeros(len(boxes), int),
    }


def test_the_order_of_images_moves_no_number_where_scores_are_equal() -> None:
    truth, right, wrong = two_images(), seen([0, 0, 9, 9]), seen([50, 50, 59, 59])
    for first, second in ((right, wrong), (wrong, right)):
        one = voc.measure(truth, [1, 2], [first, second])
        assert one == voc.measure(truth, [2, 1], [second, first])
    assert voc.measure(truth, [1, 2], [right, wrong]).mean == 0.5
    assert voc.measure(truth, [1, 2], [wrong, right]).mean == 0.25


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([1, 1, 2], "image 1 were handed over(.|\n)*there 2 times"),
        ([1], "1 of its 2 images was never handed over, among them 2"),
    ],
)
def test_an_image_that_is_missing_or_there_twice_is_refused(ids: list[int], message: str) -> None:
    with pytest.raises(DataError, match=message):
        voc.measure(two_images(), ids, [seen() for _ in ids])


def test_one_id_is_no_list_of_ids() -> None:
    with pytest.raises(UsageError, match="come as a list"):
        voc.measure(two_images(), "12", [seen(), seen()])
