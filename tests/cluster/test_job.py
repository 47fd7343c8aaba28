"""Everything that is sent to a worker, or comes back, survives the way."""

import pickle
from dataclasses import fields

import pytest
import torch

import zoo
from zoo.cluster.job import AbsentFiles, AbsentImages, Failed, Ready, SentImage, SentModel
from zoo.contract.protocol import Thresholds
from zoo.detections import Detections
from zoo.errors import ImageError
from zoo.weights.resolve import choose, resolve


@pytest.mark.parametrize("name", ["yolox_pico", "cells_nano", "fasterrcnn_pico"])
def test_a_model_is_sent_by_its_card_and_files(name: str) -> None:
    known = zoo.catalogue()
    resolved = resolve(known, choose(known, name))
    sent = pickle.loads(pickle.dumps(SentModel(resolved)))
    assert sent.resolved == resolved
    assert len(pickle.dumps(SentModel(resolved))) < 20_000


def test_a_detector_is_sent_with_its_weights() -> None:
    model = zoo.load("yolox_pico")
    sent = pickle.loads(pickle.dumps(SentModel(detector=model))).detector
    assert sent.label_space == model.label_space
    for ours, theirs in zip(model.state_dict().values(), sent.state_dict().values(), strict=True):
        assert torch.equal(ours, theirs)


def test_answers_come_back() -> None:
    space = zoo.labels.get("coco80")
    seen = Detections.empty(space, size=(3, 4), source="a.png")
    error = ImageError("a", "b", "c", fix_cli="d", file="a.png")
    failed = pickle.loads(pickle.dumps(Failed(error, (seen,))))
    assert failed.detections[0].size == (3, 4)
    assert (str(failed.error), failed.error.in_shell, failed.error.file) == (
        str(error),
        error.in_shell,
        "a.png",
    )
    for answer in (
        Ready(space, Thresholds(score=0.1, iou=0.5, max_boxes=3), {"torch": "2"}),
        AbsentFiles(("model",)),
        AbsentImages("a.png"),
        SentImage("a.png", "0" * 64, b"1"),
    ):
        again = pickle.loads(pickle.dumps(answer))
        assert all(getattr(again, f.name) == getattr(answer, f.name) for f in fields(answer))
