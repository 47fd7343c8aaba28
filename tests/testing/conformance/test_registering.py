"""Registering is held to its promise in a process of its own, with a plugin that is installed."""

from collections.abc import Callable
from dataclasses import replace

from zoo.registry import Card
from zoo.testing import Model, Toy, run

CARD = Card(architecture="heavy/toy", labels=["red", "green", "blue"])


def test_a_plugin_that_imports_torch_while_registering_fails(
    give_plugin: Callable[..., None],
) -> None:
    give_plugin("heavy", "import torch")
    [outcome] = run(Model.built_by(Toy, labels=CARD.labels), only=["registering_imports_no_torch"])
    assert outcome.status == "skipped"  # no card says which plugin it is of
    model = Model("toy", Toy, Model.built_by(Toy, labels=CARD.labels).label_space, CARD)
    [outcome] = run(model, only=["registering_imports_no_torch"])
    assert (outcome.status, outcome.reason) == (
        "failed",
        "Registering detzoo-heavy 1.0 imports torch.",
    )


def test_the_plugins_of_its_parts_and_of_its_card_are_asked_as_well(
    give_plugin: Callable[..., None],
) -> None:
    give_plugin("heavy", "import torch")
    composed = Card(
        architecture="zoo/compose", labels=["red"], arguments={"backbone": "heavy/network"}
    )
    own = Card(architecture="zoo/compose", labels=["red"], arguments={"backbone": "timm/resnet18"})
    for card, plugin in ((composed, None), (own, "heavy")):
        model = replace(Model.built_by(Toy, labels=["red"]), card=card, plugin=plugin)
        [outcome] = run(model, only=["registering_imports_no_torch"])
        assert outcome.reason == "Registering detzoo-heavy 1.0 imports torch."
