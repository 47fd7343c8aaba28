"""Parameter groups, freezing, batch norms and the rate over the steps."""

import pytest
import torch
from torch import nn

import zoo
from zoo.detectors import Detector
from zoo.errors import UsageError
from zoo.train.optimizer import freeze, optimizer_of, rate_at, set_rates, train_mode
from zoo.train.recipe import Optimizer, Recipe, Schedule


@pytest.fixture
def nano() -> Detector:
    return zoo.load("yolox_nano", weights=False)


def norms(detector: Detector) -> list[nn.Module]:
    return [module for module in detector.modules() if isinstance(module, nn.BatchNorm2d)]


def test_norms_and_biases_do_not_decay_and_the_backbone_has_its_factor(nano: Detector) -> None:
    recipe = Recipe(optimizer=Optimizer(lr=0.1, weight_decay=0.5, backbone_factor=0.25))
    groups = optimizer_of(nano, recipe).param_groups
    assert {(group["factor"], group["weight_decay"]) for group in groups} == {
        (0.25, 0.0),
        (0.25, 0.5),
        (1.0, 0.0),
        (1.0, 0.5),
    }
    for group in groups:
        assert {parameter.ndim > 1 for parameter in group["params"]} == {group["weight_decay"] > 0}
    backbone = {id(parameter) for parameter in nano.backbone.parameters()}  # type: ignore[union-attr]
    slow = {id(one) for group in groups if group["factor"] == 0.25 for one in group["params"]}
    assert slow == backbone
    assert sum(len(group["params"]) for group in groups) == len(list(nano.parameters()))


def test_everything_decays_if_the_recipe_says_so(nano: Detector) -> None:
    recipe = Recipe(optimizer=Optimizer(name="sgd", decay_all=True, weight_decay=0.5))
    [group] = optimizer_of(nano, recipe).param_groups
    assert group["weight_decay"] == 0.5
    assert group["nesterov"]


def test_rates_of_all_groups_are_set(nano: Detector) -> None:
    recipe = Recipe(
        optimizer=Optimizer(lr=0.1, backbone_factor=0.5), schedule=Schedule(warmup_steps=4)
    )
    optimizer = optimizer_of(nano, recipe)
    assert set_rates(optimizer, recipe, 1, 100) == pytest.approx(0.05)
    assert {group["lr"] / group["factor"] for group in optimizer.param_groups} == {0.05}


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        (Schedule(kind="cosine", warmup_steps=0, floor=0.1), {0: 1, 50: 0.55, 100: 0.1}),
        (Schedule(kind="linear", warmup_steps=0, floor=0.5), {0: 1, 50: 0.75, 100: 0.5}),
        (
            Schedule(kind="step", warmup_steps=0, at=(0.5, 0.9), factor=0.1),
            {49: 1, 50: 0.1, 90: 0.01},
        ),
        (Schedule(kind="constant", warmup_steps=0), {0: 1, 99: 1}),
        (Schedule(kind="constant", warmup_steps=10), {0: 0.1, 4: 0.5, 9: 1, 10: 1}),
        (Schedule(kind="cosine", warmup_steps=10, floor=0), {9: 1, 10: 1, 55: 0.5, 100: 0}),
    ],
)
def test_the_rate_follows_its_schedule(schedule: Schedule, rates: dict[int, float]) -> None:
    assert {step: rate_at(schedule, step, 100) for step in rates} == pytest.approx(rates)


def test_frozen_modules_keep_their_weights_and_statistics(nano: Detector) -> None:
    recipe = Recipe(freeze=("backbone",))
    freeze(nano, recipe)
    train_mode(nano, recipe)
    assert not any(one.requires_grad for one in nano.backbone.parameters())  # type: ignore[union-attr]
    assert all(one.requires_grad for one in nano.head.parameters())  # type: ignore[union-attr]
    assert not any(module.training for module in nano.backbone.modules())  # type: ignore[union-attr]
    assert nano.head.training  # type: ignore[union-attr]


def test_a_module_that_is_not_there_is_named(nano: Detector) -> None:
    with pytest.raises(UsageError, match=r"no module 'backbon'(.|\n)*'backbone'"):
        freeze(nano, Recipe(freeze=("backbon",)))


def test_freezing_everything_is_refused(nano: Detector) -> None:
    with pytest.raises(UsageError, match="leaves nothing to train"):
        freeze(nano, Recipe(freeze=("backbone", "neck", "head")))


@pytest.mark.parametrize(
    ("policy", "follow", "trained"),
    [("train", True, True), ("fixed", False, True), ("frozen", False, False)],
)
def test_batch_norms_follow_their_policy(
    nano: Detector, policy: str, follow: bool, trained: bool
) -> None:
    recipe = Recipe(batch_norm=policy)  # type: ignore[arg-type]
    freeze(nano, recipe)
    train_mode(nano, recipe)
    assert {norm.training for norm in norms(nano)} == {follow}
    assert {norm.weight.requires_grad for norm in norms(nano)} == {trained}  # type: ignore[union-attr]
    assert isinstance(optimizer_of(nano, recipe), torch.optim.AdamW)
