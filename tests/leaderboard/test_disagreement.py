"""The images on which models disagree are found, and shown with what each model saw."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from zoo.data import ImageRecord
from zoo.evaluate import GroundTruth
from zoo.leaderboard.disagreement import ModelDetections, disagreements

NOTHING = {"boxes": np.zeros((0, 4)), "scores": np.zeros(0), "labels": np.zeros(0, int)}


def seeing(box, *, score=0.9, label=0):
    return {
        "boxes": np.array([box], float),
        "scores": np.array([score]),
        "labels": np.array([label]),
    }


@pytest.fixture
def truth():
    return GroundTruth.of(
        [1, 2, 3],
        {"image": [1, 2], "label": [0, 1], "box": [[0, 0, 100, 50], [10, 10, 60, 60]]},
        label_space=["cat", "dog"],
    )


@pytest.fixture
def records(tmp_path):
    for name in (1, 2, 3):
        Image.new("RGB", (200, 100), (name, 0, 0)).save(tmp_path / f"{name}.jpg")
    return [ImageRecord(name, tmp_path / f"{name}.jpg", root=tmp_path) for name in (1, 2, 3)]


def test_the_widest_disagreement_is_first_and_agreement_is_not_shown(truth, records):
    right = seeing([0, 0, 100, 50])
    sure = ModelDetections("sure", [right, seeing([10, 10, 60, 60], label=1), NOTHING], 0.5)
    half = ModelDetections(
        "half", [NOTHING, seeing([10, 10, 60, 60], label=1), seeing([0, 0, 9, 9])], 0.5
    )
    shown = disagreements(truth, records, [sure, half], most=5)
    assert [(one.image, one.spread) for one in shown] == [("1", 1.0), ("3", 1.0)]
    first = shown[0]
    assert first.truth[0].box == (0, 0, 0.5, 0.5)
    assert first.truth[0].hit
    assert [(seen.name, seen.f1, len(seen.boxes)) for seen in first.models] == [
        ("sure", 1.0, 1),
        ("half", 0.0, 0),
    ]
    assert first.models[0].boxes[0].hit
    assert first.models[0].boxes[0].label == "cat"


def test_a_box_is_found_once_by_its_class_and_above_the_threshold(truth, records):
    twice = {
        name: np.concatenate([values, values]) for name, values in seeing([0, 0, 100, 50]).items()
    }
    models = [
        ModelDetections("twice", [twice, NOTHING, NOTHING], 0.5),
        ModelDetections("other class", [seeing([0, 0, 100, 50], label=1), NOTHING, NOTHING], 0.5),
        ModelDetections("unsure", [seeing([0, 0, 100, 50], score=0.4), NOTHING, NOTHING], 0.5),
    ]
    [shown] = disagreements(truth, records, models, most=1)
    assert [one.f1 for one in shown.models] == [pytest.approx(2 / 3), 0, 0]
    assert [box.hit for box in shown.models[0].boxes] == [True, False]
    assert shown.models[2].boxes == ()


def test_the_image_is_inside_and_small(truth, records):
    Image.new("RGB", (2000, 1000)).save(records[0].path)
    [shown] = disagreements(
        truth,
        records,
        [
            ModelDetections("a", [seeing([0, 0, 100, 50]), NOTHING, NOTHING], 0.5),
            ModelDetections("b", [NOTHING] * 3, 0.5),
        ],
        most=1,
    )
    held = Image.open(
        io.BytesIO(base64.b64decode(shown.jpeg.removeprefix("data:image/jpeg;base64,")))
    )
    assert held.size == (480, 240)
    assert (shown.width, shown.height) == (2000, 1000)


def test_one_model_or_none_wanted_gives_no_images(truth, records):
    one = ModelDetections("a", [seeing([0, 0, 100, 50]), NOTHING, NOTHING], 0.5)
    assert disagreements(truth, records, [one], most=5) == []
    assert (
        disagreements(truth, records, [one, ModelDetections("b", [NOTHING] * 3, 0.5)], most=0) == []
    )


def test_an_image_that_is_gone_or_broken_is_left_out(truth, records):
    records[0].path.write_bytes(b"no image")
    models = [
        ModelDetections("a", [seeing([0, 0, 100, 50]), NOTHING, NOTHING], 0.5),
        ModelDetections("b", [NOTHING] * 3, 0.5),
    ]
    assert disagreements(truth, records, models, most=5) == []


def test_no_image_from_outside_of_its_folder_becomes_a_part_of_the_page(truth, records, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "link.jpg").symlink_to(records[0].path)
    models = [
        ModelDetections("a", [seeing([0, 0, 100, 50]), NOTHING, NOTHING], 0.5),
        ModelDetections("b", [NOTHING] * 3, 0.5),
    ]
    root = tmp_path / "data"
    assert disagreements(truth, records, models, most=5)
    for path in (root / "../1.jpg", root / "link.jpg", records[0].path):
        outside = [ImageRecord(1, path, root=root), *records[1:]]
        assert disagreements(truth, outside, models, most=5) == []


def test_an_image_of_too_many_pixels_is_left_out(truth, records, monkeypatch):
    models = [
        ModelDetections("a", [seeing([0, 0, 100, 50]), NOTHING, NOTHING], 0.5),
        ModelDetections("b", [NOTHING] * 3, 0.5),
    ]
    monkeypatch.setenv("ZOO_IMAGE_PIXELS", "1000")
    assert disagreements(truth, records, models, most=5) == []
