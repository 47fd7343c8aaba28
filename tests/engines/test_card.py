"""The card of what is exported builds the detector again."""

from __future__ import annotations

import pytest

import zoo
from zoo.detectors import Detector
from zoo.engines.card import choice_of, request_for
from zoo.engines.engine import network_of
from zoo.labels import LabelSpace


def test_weights_of_the_card_keep_their_tag(pico: Detector) -> None:
    choice = choice_of(pico)
    assert choice.name == "yolox_pico.shapes"
    assert choice.weights is not None
    assert choice.weights.claims


def test_other_classes_are_in_the_card() -> None:
    detector = zoo.load("yolox_pico", weights=False, labels=["spot", "dot"])
    choice = choice_of(detector)
    assert (choice.entry.card.labels, choice.tag) == (["spot", "dot"], None)
    network = network_of(request_for(detector, choice, "onnxruntime"))
    assert network.label_space == detector.label_space


def test_ids_that_it_can_not_keep_are_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    space = LabelSpace("pair", ("spot", "dot"), (7, 9))
    choice_of(zoo.load("yolox_pico", weights=False, labels=space))
    assert "not their ids, 7, 9" in caplog.text


def test_a_composed_detector_has_one() -> None:
    detector = zoo.compose(
        backbone="timm/test_resnet",
        neck="pafpn",
        head="yolox/yolox",
        head_arguments={"channels": 32},
        labels=["a", "b"],
        input={"resize": "letterbox", "size": [64, 64]},
    )
    network = network_of(request_for(detector, choice_of(detector), "onnxruntime"))
    assert network.state_dict().keys() == detector.state_dict().keys()
