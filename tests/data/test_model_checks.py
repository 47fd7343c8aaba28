"""Labels that a model disagrees with, among those that were broken on purpose."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.data.damaged import damaged
from zoo.data import Check, Dataset, GroundTruth, check, read
from zoo.data.finding import Finding, collecting
from zoo.data.finding_sheets import write_sheets
from zoo.data.model_checks import model_findings, overlaps, verdict
from zoo.detections import Detections
from zoo.errors import LabelError
from zoo.labels.builtin import space_of
from zoo.testing.toy import Toy

CHECKS = ("not_annotated", "found_as_other_class", "found_elsewhere", "never_found")
BROKEN = 12  # of each kind


@pytest.fixture(scope="module")
def scenes() -> Dataset:
    return read("shapes:val,count=40")


@pytest.fixture(scope="module")
def broken(scenes: Dataset) -> tuple[Dataset, dict[str, list[tuple[int, np.ndarray]]]]:
    """The scenes with labels of each kind broken, and which: image and box, as findings have them.

    Objects of at least 40 pixels are chosen, no two of which overlap: what a person would see.
    """
    truth = scenes.truth
    clear = [
        row
        for row in np.flatnonzero((truth.xywh[:, 2:] >= 40).all(axis=1)).tolist()
        if (_others(truth, row) < 0.01).all()
    ]
    chosen = np.random.default_rng(0).permutation(clear)[: 3 * BROKEN].reshape(3, BROKEN)
    missing, renamed, moved = (set(rows.tolist()) for rows in chosen)
    boxes, labels = truth.boxes.copy(), truth.labels.copy()
    for row in renamed:
        labels[row] = (labels[row] + 3) % 8
    for row in moved:
        boxes[row] += 0.45 * np.tile(truth.xywh[row, 2:], 2) * [1, 0, 1, 0]
    kept = np.array([row not in missing for row in range(len(labels))])
    images = truth.images.tolist()
    made = _nowhere(scenes)
    columns = {
        "image": [*truth.image_ids[truth.images[kept]].tolist(), *(image for image, _ in made)],
        "label": [*labels[kept].tolist(), *(0 for _ in made)],
        "box": [*boxes[kept].tolist(), *(box for _, box in made)],
    }
    wrong = GroundTruth.of(truth.image_ids, columns, label_space=scenes.label_space)
    ids = truth.image_ids.tolist()
    known = {
        "not_annotated": [(images[row], truth.boxes[row]) for row in missing],
        "found_as_other_class": [(images[row], truth.boxes[row]) for row in renamed],
        "found_elsewhere": [(images[row], boxes[row]) for row in moved],
        "never_found": [(ids.index(image), np.array(box)) for image, box in made],
    }
    return replace(scenes, truth=wrong), known


def _others(truth: GroundTruth, row: int) -> np.ndarray:
    """IoU with the other boxes of its image."""
    rows = truth.rows(int(truth.images[row]))
    iou, _ = overlaps(truth.boxes[row : row + 1], truth.boxes[rows])
    return np.delete(iou[0], row - rows.start)


def _nowhere(scenes: Dataset) -> list[tuple[str, list[float]]]:
    """Boxes of 60 pixels in images where no object is."""
    found = []
    for row in range(len(scenes)):
        width, height = scenes.images[row].width or 0, scenes.images[row].height or 0
        real = scenes.truth.boxes[scenes.truth.rows(row)]
        for x in range(0, width - 60, 20):
            for y in range(0, height - 60, 20):
                box = np.array([[x, y, x + 60.0, y + 60]])
                if (overlaps(box, real)[0] == 0).all() and len(found) < BROKEN:
                    found.append((scenes.truth.image_ids[row].item(), box[0].tolist()))
                    break
            else:
                continue
            break
    return found


@pytest.fixture(scope="module")
def found(broken: tuple[Dataset, object]) -> Check:
    return check(broken[0], images="none", model="shapes/yolox_pico", show=False)


@pytest.mark.parametrize(
    ("kind", "precision", "recall"),
    [
        ("not_annotated", 0.9, 0.8),
        ("found_as_other_class", 0.8, 0.8),
        ("found_elsewhere", 0.8, 0.5),
        ("never_found", 0.8, 0.8),
    ],
)
def test_what_it_reports_is_what_was_broken(
    kind: str,
    precision: float,
    recall: float,
    broken: tuple[Dataset, dict[str, list[tuple[int, np.ndarray]]]],
    found: Check,
) -> None:
    """Precision and recall on the shapes with a model that was trained for them."""
    dataset, known = broken
    row_of = {name: row for row, name in enumerate(dataset.images.files)}
    hits: list[bool] = []
    seen: set[int] = set()
    for finding in found.findings:
        if finding.check != kind:
            continue
        box = np.array([finding.box])
        same = [
            at
            for at, (row, real) in enumerate(known[kind])
            if row == row_of[finding.image] and overlaps(box, real[None])[0][0, 0] >= 0.5
        ]
        hits.append(bool(same))
        seen.update(same)
    assert sum(hits) / len(hits) >= precision, (sum(hits), len(hits))
    assert len(seen) / BROKEN >= recall, len(seen)


def test_labels_that_are_right_are_hardly_suspected(scenes: Dataset) -> None:
    counts = check(scenes, images="none", model="shapes/yolox_pico", show=False).counts
    assert sum(counts.get(name, 0) for name in CHECKS) <= 0.02 * len(scenes.truth.labels)


def test_findings_are_ranked_and_warnings(found: Check) -> None:
    scores = [one.score for one in found.findings if one.check == "not_annotated"]
    assert scores == sorted(scores, reverse=True)
    assert all(0.6 <= score <= 1 for score in scores)
    assert not any(one.is_error for one in found.findings if one.check in CHECKS)
    assert {one.score for one in found.findings if one.check == "never_found"} == {None}
    document = json.loads(json.dumps(found.to_json()))
    assert set(CHECKS) <= set(document["counts"])


def test_each_check_gets_its_sheet(found: Check, tmp_path: Path) -> None:
    paths = write_sheets(found, tmp_path / "sheets")
    assert {path.stem for path in paths} >= set(CHECKS)
    for path in paths:
        with Image.open(path) as sheet:
            assert sheet.width == 1800


def test_a_model_of_other_classes_is_refused(scenes: Dataset) -> None:
    with pytest.raises(LabelError, match="no class in common"):
        check(scenes, images="none", model=Toy(space_of(["cat"])))


@pytest.mark.parametrize(
    ("iou", "same", "score", "free", "case"),
    [
        (0.6, True, 0.1, True, None),
        (0.6, False, 0.9, True, "found_as_other_class"),
        (0.6, False, 0.9, False, None),
        (0.3, True, 0.9, True, "found_elsewhere"),
        (0.3, True, 0.5, True, None),
        (0.05, True, 0.9, True, "never_found"),
    ],
)
def test_one_box_is_judged(
    iou: float, same: bool, score: float, free: bool, case: str | None
) -> None:
    columns = np.array([iou]), np.array([same]), np.array([score], np.float32), np.array([free])
    judgement = verdict(*columns)
    assert (judgement and judgement[0]) == case


def test_overlaps_of_boxes_without_area_are_none() -> None:
    iou, covered = overlaps(np.array([[0.0, 0, 10, 10], [3, 3, 3, 3]]), np.array([[0.0, 0, 5, 10]]))
    assert iou.tolist() == [[0.5], [0.0]]
    assert covered.tolist() == [[1.0], [0.0]]


def test_images_are_detected_in_batches_and_those_that_can_not_be_read_are_left_out(
    tmp_path: Path,
) -> None:
    sizes: list[int] = []

    class Counted(Toy):
        """Counts the images of each batch."""

        def predict(self, images: Any, thresholds: Any) -> list[Detections]:
            """Those of Toy."""
            sizes.append(len(images))
            return super().predict(images, thresholds)

    torch.manual_seed(0)
    model = Counted(space_of(["cat", "dog"])).eval()
    with collecting():
        data = read(damaged(tmp_path))

    def facts(found: list[Finding]) -> list[tuple[str, str | None, object]]:
        return sorted((one.check, one.image, one.box) for one in found)

    together = model_findings(data, model, show=False)
    assert max(sizes) > 1
    assert sum(sizes) == len(data) - 2  # gone.jpg and cut.jpg
    apart = [
        finding
        for row in range(len(data))
        for finding in model_findings(data.subset([row]), model, show=False)
    ]
    assert facts(together) == facts(apart)
    assert {"copy.jpg", "records.jpg"} <= {one.image for one in together}
