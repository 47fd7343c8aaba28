"""A class layer says how the rows of classes lie in a layer."""

import torch

from zoo.contract import ClassLayer


def test_its_shape_is_blocks_channels_and_rows_of_a_channel() -> None:
    layer = ClassLayer("boxes", channels=(-1, 0, 1), background=0, outer=2, inner=4)
    assert layer.shape == (2, 3, 4)


def test_it_is_named_from_outside_of_its_module() -> None:
    layer = ClassLayer("kind", channels=(0, 1))
    assert layer.within("head").name == "head.kind"
    assert layer.within("head").channels == layer.channels


def test_it_starts_as_its_module_does_unless_the_family_says_otherwise() -> None:
    module = torch.nn.Linear(2, 2)
    before = module.weight.clone()
    ClassLayer("kind", channels=(0, 1)).start(module)
    assert not torch.equal(module.weight, before)
    ClassLayer("kind", channels=(0, 1), start=lambda one: torch.nn.init.zeros_(one.weight)).start(
        module
    )
    assert not module.weight.any()
