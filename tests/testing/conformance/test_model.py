"""What the kit checks: a model by name, or a builder."""

from __future__ import annotations

from typing import Any

import pytest

from zoo.errors import CardError, NameNotFound, UsageError
from zoo.testing import Model, Toy, run

SMALL: dict[str, Any] = {"arguments": {"size": 32}, "input": {"size": [32, 32]}}


def test_parameters_are_counted_with_the_cards_own_arguments_whatever_size_is_checked() -> None:
    [outcome] = run(
        Model.named("yolox_nano", arguments={"width": 0.125}), only=["card_counts_parameters"]
    )
    assert (outcome.status, outcome.reason) == ("passed", "")


def test_an_input_that_is_none_is_refused() -> None:
    with pytest.raises(CardError, match="sizes"):
        Model.named("yolox_nano", input={"sizes": [32, 32]})


def test_a_builder_is_a_model_without_a_card() -> None:
    model = Model.built_by(Toy, labels=["red", "green"])
    assert (model.name, model.card, model.weights) == ("Toy", None, None)
    assert model.label_space.names == ("red", "green")
    assert model.detector is model.detector
    assert not model.detector.training
    assert model.build() is not model.detector


def test_a_named_model_has_its_card_with_the_changes() -> None:
    model = Model.named("yolox_nano", **SMALL)
    assert model.card is not None
    assert model.card.arguments["size"] == 32
    assert model.build().input_size(48, 64) == (32, 32)
    assert model.full is not None
    with pytest.raises(NameNotFound):
        Model.named("yolox_nan")


def test_trained_weights_are_of_the_card_as_it_is() -> None:
    with pytest.raises(UsageError, match="Leave out one of the two"):
        Model.named("yolox_nano", weights="coco", **SMALL)
    with pytest.raises(UsageError):
        Model.named("yolox_nano", data="coco:instances.json")
