"""Building a detector: each check finds the toy that keeps every
promise but its own."""

from __future__ import annotations

import pytest
import torch

from tests.testing.conformance.broken_promises import Broken, failing
from tests.testing.conformance.faulty_toys import (
    SPACE,
    building,
    equipped,
    looks_up,
    looks_up_and_goes_on,
    overriding,
    refuses_one_class,
    rotated_when_turned,
    same_seed,
    toggles_determinism,
)
from zoo.labels import LabelSpace
from zoo.registry.plugin_calls import at_call
from zoo.registry.plugin_messages import PluginWarning
from zoo.registry.plugins import PluginInfo
from zoo.testing import Model, Toy, run

BROKEN: dict[str, Broken] = {
    "labels_obeyed": building(lambda label_space: SPACE if len(label_space) == 7 else None),
    "one_class": building(refuses_one_class),
    "classes_carried_over": overriding("class_layers", rotated_when_turned),
    "space_is_the_cards": building(
        lambda label_space: (
            LabelSpace.custom(label_space.names[::-1]) if label_space is SPACE else None
        )
    ),
    "seeded": building(same_seed),
    "meta_device": equipped(
        lambda toy: toy.register_buffer("grid", torch.zeros(4), persistent=False)
    ),
    "no_network": building(looks_up),
    "building_changes_no_setting": building(toggles_determinism),
}
ALSO = {  # what nothing can break alone
    "meta_device": ["classes_carried_over"],
}


@pytest.mark.parametrize("check", list(BROKEN))
def test_a_detector_that_breaks_one_promise_fails_that_check_alone(check: str) -> None:
    failed = failing(BROKEN[check])
    assert set(failed) == {check, *ALSO.get(check, ())}, failed
    assert failed[check].reason


def test_a_builder_that_goes_on_without_the_network_fails_as_well() -> None:
    model = Model("toy", building(looks_up_and_goes_on), SPACE)
    [outcome] = run(model, only=["no_network"])
    assert outcome.reason == "Building it connects to 127.0.0.1."


def test_a_setting_that_the_zoo_puts_back_was_changed_all_the_same() -> None:
    def build(label_space: LabelSpace) -> Toy:
        torch.set_default_dtype(torch.float64)
        return Toy(label_space)

    info = PluginInfo("acme", "detzoo-acme", "1.0", "detzoo_acme", "loaded")
    contained = at_call(info, "while it builds", build)
    with pytest.warns(PluginWarning, match="changes torch's default dtype"):
        [outcome] = run(Model("toy", contained, SPACE), only=["building_changes_no_setting"])
    assert outcome.status == "failed"
    assert outcome.reason.startswith("Building it changes torch's default dtype")
    assert torch.get_default_dtype() == torch.float32
