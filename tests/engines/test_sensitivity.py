"""Layers are ranked by what is no longer found."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from zoo.detections import Detections
from zoo.engines import sensitivity
from zoo.engines.quantizer import Layer
from zoo.labels import LabelSpace

SPACE = LabelSpace.custom(["a", "b"])


def seen(*scores: float) -> Detections:
    boxes = torch.tensor([[0.0, 0, 10, 10], [50, 50, 70, 70]])[: len(scores)]
    labels = torch.arange(len(scores)) % 2
    return Detections(boxes, torch.tensor(scores), labels, size=(100, 100), label_space=SPACE)


def test_the_same_detections_lose_nothing() -> None:
    assert sensitivity.loss([seen(0.9, 0.5)], [seen(0.9, 0.5)]) == pytest.approx(0)
    assert sensitivity.loss([seen()], [seen()]) == 0


def test_what_is_lost_counts_by_its_score() -> None:
    assert sensitivity.loss([seen(0.6, 0.2)], [seen(0.6)]) == pytest.approx(0.25)
    assert sensitivity.loss([seen(0.6)], [seen(0.3)]) == pytest.approx(0.5)
    assert sensitivity.loss([seen(0.6)], [seen()]) == 1


def test_another_box_or_class_is_not_the_same() -> None:
    whole = seen(0.5)
    half = replace(whole, boxes=torch.tensor([[0.0, 0, 10, 5]]))
    other = replace(whole, labels=torch.tensor([1]))
    assert sensitivity.loss([whole], [half]) == pytest.approx(0.5)
    assert sensitivity.loss([whole], [other]) == 1


def test_those_that_cost_most_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"reference": [seen(0.8)], "a": [seen(0.7)], "b": [seen(0.2)], "c": [seen(0.8)]}
    monkeypatch.setattr(sensitivity, "detect", lambda engine, _: found[engine])
    layers = [Layer(name, ()) for name in "abc"]
    done: list[Layer] = []
    order = sensitivity.rank_layers(
        layers,
        [],
        "reference",  # type: ignore[arg-type]
        lambda layer: layer.name,  # type: ignore[arg-type,return-value]
        done=done.append,
    )
    assert [layer.name for layer in order] == ["b", "a", "c"]
    assert done == layers
