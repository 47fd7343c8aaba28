"""Networks that are built without weights, and without drawing any."""

import torch
from torch import nn

from zoo.detectors.meta_device import on_meta_device


def test_modules_have_shapes_and_no_content() -> None:
    with on_meta_device():
        made = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8))
    assert all(tensor.is_meta for tensor in made.state_dict().values())
    assert made[0].weight.shape == (8, 3, 3, 3)


def test_no_random_number_is_drawn() -> None:
    before = torch.get_rng_state()
    with on_meta_device():
        nn.init.trunc_normal_(nn.Linear(4, 4).weight)
    assert torch.equal(torch.get_rng_state(), before)


def test_tensors_elsewhere_are_filled_as_ever() -> None:
    with on_meta_device():
        drawn = torch.zeros(100, device="cpu").normal_()
    assert drawn.std() > 0.5


def test_what_is_built_outside_is_drawn() -> None:
    with on_meta_device():
        pass
    assert nn.Linear(4, 4).weight.std() > 0
