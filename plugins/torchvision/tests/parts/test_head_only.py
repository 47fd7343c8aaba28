"""A network without its backbone keeps everything else."""

import pytest
from detzoo_torchvision.parts.head_only import NoBackbone, strip_backbone
from torch import nn
from torchvision.models import detection


def network() -> nn.Module:
    return detection.FCOS(NoBackbone(64), 3)


def test_backbone_and_transform_go_and_the_rest_stays() -> None:
    before = dict(network().named_children())
    after = dict(strip_backbone(network()).named_children())
    assert before.keys() - after.keys() == {"backbone", "transform"}
    assert {name: type(part) for name, part in after.items()} == {
        name: type(before[name]) for name in after
    }


def test_a_stand_in_has_its_channels_and_no_weights() -> None:
    assert NoBackbone([64, 128]).out_channels == [64, 128]
    assert list(NoBackbone(64).parameters()) == []


def test_a_stand_in_cannot_be_run() -> None:
    with pytest.raises(NotImplementedError):
        NoBackbone(64)(None)
