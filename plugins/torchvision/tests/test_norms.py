"""Frozen batch norms stand where fresh ones stood, and only their eps can be set."""

import torch
from detzoo_torchvision.norms import freeze_norms, set_frozen_eps
from torch import nn
from torchvision.ops import FrozenBatchNorm2d


def network() -> nn.Sequential:
    inner = nn.Sequential(nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4, eps=0.2))
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), inner, nn.GroupNorm(2, 4)).eval()


@torch.no_grad()
def test_frozen_norms_compute_what_the_fresh_ones_did_and_keep_their_eps() -> None:
    net, pixels = network(), torch.randn(2, 3, 9, 9)
    before = net(pixels)
    freeze_norms(net)
    assert torch.allclose(net(pixels), before, atol=1e-6)
    assert [net[1].eps, net[2][1].eps] == [1e-5, 0.2]


def test_every_batch_norm_is_replaced_and_no_other_layer() -> None:
    net = network()
    kinds = [type(layer) for layer in net.modules()]
    freeze_norms(net)
    assert [type(layer) for layer in net.modules()] == [
        FrozenBatchNorm2d if kind is nn.BatchNorm2d else kind for kind in kinds
    ]
    norms = [net[1], net[2][1]]
    assert not [name for norm in norms for name, _ in norm.named_parameters()]


def test_a_frozen_norm_keeps_its_statistics_in_train_mode() -> None:
    net = network()
    freeze_norms(net)
    net.train()(torch.randn(2, 3, 9, 9) + 3)
    assert torch.equal(net[1].running_mean, torch.zeros(4))


def test_eps_is_set_in_frozen_norms_only_and_they_are_counted() -> None:
    net = network()
    assert set_frozen_eps(net, 0.0) == 0
    assert [net[1].eps, net[2][1].eps] == [1e-5, 0.2]
    freeze_norms(net)
    assert set_frozen_eps(net, 0.0) == 2
    assert [net[1].eps, net[2][1].eps] == [0.0, 0.0]
