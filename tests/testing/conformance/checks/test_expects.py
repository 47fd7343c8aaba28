"""What a card expects of its trained weights is held against what they see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import zoo
from zoo.errors import CardError, UsageError
from zoo.labels import LabelSpace
from zoo.registry import Card, add
from zoo.registry.card import Drawing, Expectation, ExpectedBox, FileSource, Shape, Weights
from zoo.testing import CHECKS, ConformanceError, Model, NotApplicable, Outcome, Toy, run
from zoo.testing.conformance.checks import check_claim_reached, check_expected_detections
from zoo.testing.conformance.drawing import image_of

SPACE = LabelSpace.custom(["red", "green", "blue"])
DRAWING = Drawing(
    size=[48, 64],
    ground=[20, 40, 60],
    shapes=[Shape(corners=[[8, 8], [40, 8], [40, 30], [8, 30]], color=[200, 10, 90])],
)


def seen_by(detector: zoo.Detector, count: int = 2) -> Expectation:
    """What a detector sees in the drawing, as an author writes it down."""
    [everything] = detector.detect([image_of(DRAWING)], score=0.0)
    floor = float(everything.scores[count - 1])
    best = everything[everything.scores >= floor]
    rows = zip(best.class_names, best.boxes.tolist(), best.scores.tolist(), strict=True)
    boxes = [
        ExpectedBox(label=name, box=[round(edge, 1) for edge in box], score=round(score, 3))
        for name, box, score in rows
    ]
    return Expectation(image=DRAWING, boxes=boxes, floor=floor)


@pytest.fixture
def trained() -> Toy:
    return Model("toy", Toy, SPACE).detector  # type: ignore[return-value]


def model(detector: zoo.Detector, *expects: Expectation) -> Model:
    weights = Weights(files={"model": [FileSource(path="toy.safetensors")]}, expects=list(expects))
    card = Card(architecture="toy/toy", labels=list(SPACE.names), weights={"v1": weights})
    return Model("toy", Toy, SPACE, card, weights="v1", load=lambda: detector)


def test_weights_that_see_what_their_card_expects_pass(trained: Toy) -> None:
    check_expected_detections(model(trained, seen_by(trained)))


def test_exchanged_classes_and_axes_are_found(trained: Toy) -> None:
    expected = seen_by(trained)

    class NextClass(Toy):
        def one(self, boxes: Tensor, scores: Tensor, labels: Tensor, *rest: Any) -> Any:
            return super().one(boxes, scores, (labels + 1) % 3, *rest)

    class Turned(Toy):
        def one(self, boxes: Tensor, *rest: Any) -> Any:
            return super().one(boxes[:, [1, 0, 3, 2]], *rest)

    for kind, said in ((NextClass, "it sees .*, and not"), (Turned, "is within 1 pixels of")):
        other = kind(SPACE).eval()
        other.load_state_dict(trained.state_dict())
        with pytest.raises(ConformanceError, match=said):
            check_expected_detections(model(other, expected))


def test_scores_under_a_root_which_random_weights_do_not_tell_are_found(trained: Toy) -> None:
    class Rooted(Toy):
        def one(self, boxes: Tensor, scores: Tensor, *rest: Any) -> Any:
            return super().one(boxes, scores.sqrt(), *rest)

    asked = [
        check for check in CHECKS if check != "pickle"
    ]  # which finds no class that a test defines
    assert [
        one.reason for one in run(Model("toy", Rooted, SPACE), only=asked) if one.status == "failed"
    ] == []
    other = Rooted(SPACE).eval()
    other.load_state_dict(trained.state_dict())
    with pytest.raises(ConformanceError, match="it sees"):
        check_expected_detections(model(other, seen_by(trained)))


def test_another_score_and_one_box_more_are_found(trained: Toy) -> None:
    expected = seen_by(trained)
    with torch.no_grad():
        trained.gain.add_(0.5)
    with pytest.raises(ConformanceError, match="it sees"):
        check_expected_detections(model(trained, expected))


def test_without_weights_or_expectations_there_is_nothing_to_ask(trained: Toy) -> None:
    with pytest.raises(NotApplicable, match="expects nothing of these weights"):
        check_expected_detections(model(trained))
    [outcome] = run(Model("toy", Toy, SPACE), only=["expected_detections"])
    assert (outcome.status, outcome.reason) == (
        "skipped",
        "No weights were named: zoo check NAME --weights TAG, or file:PATH.",
    )


def test_a_drawing_is_the_same_pixels_everywhere() -> None:
    image = image_of(DRAWING)
    assert isinstance(image, np.ndarray)
    assert image.shape == (48, 64, 3)
    assert image[0, 0].tolist() == [20, 40, 60]
    assert image[8:31, 8:41].reshape(-1, 3).tolist() == [[200, 10, 90]] * (23 * 33)
    assert (image != [20, 40, 60]).any(2).sum() == 23 * 33


def test_yolox_nano_sees_the_stop_sign_that_its_card_expects(published_yolox_nano: None) -> None:
    [outcome] = run(Model.named("yolox_nano", weights="coco"), only=["expected_detections"])
    assert outcome == Outcome("expected_detections", "passed", "", outcome.seconds)


@pytest.mark.slow
def test_the_claim_is_held_against_a_sample_of_its_data(
    published_yolox_nano: None, shared: Path
) -> None:
    data = f"coco:{shared / 'coco_val2017_128' / 'instances.json'}"
    [outcome] = run(Model.named("yolox_nano", weights="coco", data=data), only=["claim_reached"])
    assert outcome.status == "passed", outcome.reason
    random = Model.named("yolox_nano", weights="coco", data=data)
    vars(random)["trained_detector"] = random.plain
    with pytest.raises(
        ConformanceError,
        match=r"The card claims AP 25.8 on coco_val2017, and on .* it is 0.0 \(0.0 to 0.0\)",
    ):
        check_claim_reached(random)


def test_weights_of_a_changed_card_and_data_without_weights_are_refused() -> None:
    with pytest.raises(UsageError, match="with another card"):
        Model.named("yolox_nano", arguments={"size": 64}, weights="coco")
    with pytest.raises(UsageError, match="without weights"):
        Model.named("yolox_nano", data="coco:here.json")


CARDS = """\
schema: 2
cards:
  sign:
    architecture: yolox/yolox
    labels: [sign]
    weights:
      v1:
        files: {{model: [{{kind: file, path: sign.safetensors}}]}}
        expects:
          - image: {image}
            boxes:
              - {box}
"""
IMAGE = "{kind: drawing, size: [48, 64], ground: [0, 0, 0]}"
BOX = "{label: sign, box: [1, 2, 3, 4], score: 0.9}"


@pytest.mark.parametrize(
    ("image", "box", "said"),
    [
        (IMAGE, BOX.replace("label: sign", "label: sing"), "'sing' is not a class of the card"),
        (IMAGE, BOX.replace("[1, 2, 3, 4]", "[3, 2, 1, 4]"), "A box ends before it begins"),
        (IMAGE, BOX.replace("[1, 2, 3, 4]", "[1, 2, 3, 49]"), "A box leaves the drawing"),
        (IMAGE, BOX.replace("0.9", "1.9"), "score"),
        (IMAGE.replace("[0, 0, 0]", "[0, 0, 256]"), BOX, "ground"),
        ("{kind: package, package: acme, file: ../secret.png}", BOX, "leads out of its folder"),
    ],
)
def test_an_expectation_that_can_not_be_is_an_error_with_its_line(
    tmp_path: Path, image: str, box: str, said: str
) -> None:
    file = tmp_path / "cards.yaml"
    file.write_text(CARDS.format(image=image, box=box))
    with pytest.raises(CardError, match=said) as error:
        add(file)
    assert "cards.yaml" in str(error.value)
    assert "expects" in str(error.value)


def test_an_expectation_that_can_be_is_read(tmp_path: Path) -> None:
    file = tmp_path / "cards.yaml"
    file.write_text(CARDS.format(image=IMAGE, box=BOX))
    add(file)
    assert Model.named("sign").need_card().weights["v1"].expects[0].boxes[0].label == "sign"
