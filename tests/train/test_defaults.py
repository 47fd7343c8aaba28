"""Default recipes: one a family, complete, with rates that follow the batch."""

from typing import Any

import pytest

from zoo.errors import NameNotFound, UsageError
from zoo.registry import catalogue
from zoo.registry.card import Card, FileSource, Weights
from zoo.train.defaults import FAMILIES, PRESETS, complete, named_preset, preset_of
from zoo.train.recipe import Optimizer


def card(**fields: Any) -> Card:
    return Card(architecture="compose", labels=["a"], **fields)


def test_every_family_of_the_catalogue_has_a_default() -> None:
    families = {entry.card.family for entry in catalogue().entries()}
    assert families <= FAMILIES.keys()


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("images", [1, 100, 100_000])
def test_a_default_is_complete_for_few_images_and_many(name: str, images: int) -> None:
    recipe = complete(PRESETS[name], {}, images=images)
    steps = recipe.total_steps(images)
    assert steps >= max(1500, 12 * images // recipe.batch_size)
    assert recipe.validate_every
    assert 1 <= recipe.validate_every <= steps
    assert recipe.schedule.warmup_steps <= steps / 10


def test_rates_follow_the_batch_and_a_given_rate_stays() -> None:
    preset = PRESETS["yolox"]
    rates = [
        complete(preset, {"batch_size": size}, images=100).optimizer.lr for size in (8, 16, 64)
    ]
    assert rates == [0.00125, 0.0025, 0.01]
    given = {"batch_size": 8, "optimizer": {"lr": 0.5}}
    assert complete(preset, given, images=100).optimizer.lr == 0.5
    assert complete(preset, given, images=100).optimizer.name == "sgd"


def test_another_optimizer_has_a_rate_and_a_weight_decay_of_its_own() -> None:
    def optimizer(preset: str, batch_size: object, **given: Any) -> Optimizer:
        fields = {"batch_size": batch_size, "optimizer": given}
        return complete(PRESETS[preset], fields, images=500).optimizer

    found = [optimizer("two_stage", size, name="adamw") for size in (4, 16, 64)]
    assert [plan.lr for plan in found] == [0.0005, 0.001, 0.002]
    assert found[0].weight_decay == 0.05
    found = [optimizer("general", size, name="sgd") for size in (8, 16, 32)]
    assert [plan.lr for plan in found] == [0.005, 0.01, 0.02]
    assert found[0].weight_decay == 1e-4
    assert optimizer("yolox", "auto", name="adamw").lr == 0.002
    given = {"name": "sgd", "lr": 0.3, "weight_decay": 0.2}
    assert optimizer("general", 8, **given).lr == 0.3
    assert optimizer("general", 8, **given).weight_decay == 0.2
    assert optimizer("yolox", 64, name="sgd") == optimizer("yolox", 64)


@pytest.mark.parametrize("name", ["adam", ["sgd"], None])
def test_an_optimizer_that_there_is_not_is_named(name: object) -> None:
    with pytest.raises(UsageError, match=r"optimizer\.name"):
        complete(PRESETS["general"], {"optimizer": {"name": name}}, images=3)


def test_epochs_that_are_given_leave_no_steps() -> None:
    recipe = complete(PRESETS["general"], {"epochs": 2.5, "batch_size": 4}, images=10)
    assert recipe.steps is None
    assert recipe.total_steps(10) == 7


def test_completing_twice_changes_nothing() -> None:
    from zoo.train.recipe_file import fields_of

    once = complete(PRESETS["ssd"], {"batch_size": 2}, images=50)
    assert complete(PRESETS["ssd"], fields_of(once), images=50) == once


def test_a_card_names_its_default_by_family_or_by_recipe() -> None:
    weights = Weights(files={"model": [FileSource(path="a")]}, recipe="ssd")
    assert preset_of(card(family="FCOS")) is PRESETS["dense"]
    assert preset_of(card(family="FCOS", weights={"a": weights})) is PRESETS["ssd"]
    assert preset_of(card()) is PRESETS["general"]
    assert preset_of(None) is PRESETS["general"]


def test_a_preset_is_had_by_name() -> None:
    assert named_preset("yolox") is PRESETS["yolox"]
    with pytest.raises(NameNotFound, match="Did you mean 'yolox'"):
        named_preset("yolo")


def test_a_given_field_that_can_not_be_is_named() -> None:
    with pytest.raises(UsageError, match="epoch_s"):
        complete(PRESETS["general"], {"epoch_s": 1}, images=3)
