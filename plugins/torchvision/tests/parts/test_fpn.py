"""The feature pyramid keeps the promise of its levels, and computes what torchvision's computes."""

from __future__ import annotations

from collections import OrderedDict

import pytest
import torch
from detzoo_torchvision.parts.fpn import FPN
from torchvision.ops import FeaturePyramidNetwork
from torchvision.ops.feature_pyramid_network import LastLevelP6P7

from zoo.contract import FeatureLevel
from zoo.errors import CardError

GIVEN = (FeatureLevel(8, 8), FeatureLevel(16, 16), FeatureLevel(24, 32))


@pytest.mark.parametrize("coarser", [0, 1, 2])
@pytest.mark.parametrize(("height", "width"), [(64, 128), (72, 104)])
def test_fpn_returns_the_maps_it_declares(coarser: int, height: int, width: int) -> None:
    neck = FPN(levels=GIVEN, channels=12, coarser=coarser)
    maps = tuple(
        torch.rand(2, one.channels, -(-height // one.stride), -(-width // one.stride))
        for one in GIVEN
    )
    assert [level.stride for level in neck.levels] == [8, 16, 32, 64, 128][: 3 + coarser]
    assert [tuple(one.shape) for one in neck(maps)] == [
        (2, 12, -(-height // level.stride), -(-width // level.stride)) for level in neck.levels
    ]


def test_fpn_is_torchvisions() -> None:
    ours = FPN(levels=GIVEN, channels=12)
    theirs = FeaturePyramidNetwork([8, 16, 24], 12, extra_blocks=LastLevelP6P7(24, 12))
    theirs.load_state_dict(ours.pyramid.state_dict(), strict=True)
    maps = tuple(torch.rand(1, one.channels, 64 // one.stride, 64 // one.stride) for one in GIVEN)
    named = theirs(OrderedDict(zip("abc", maps, strict=True)))
    assert all(torch.equal(one, two) for one, two in zip(ours(maps), named.values(), strict=True))


def test_fpn_adds_at_most_two_maps() -> None:
    with pytest.raises(CardError, match="0, 1 or 2"):
        FPN(levels=GIVEN, coarser=3)  # type: ignore[arg-type]


def test_one_coarser_map_takes_every_second_cell() -> None:
    maps = tuple(
        torch.rand(1, level.channels, 64 // level.stride, 64 // level.stride) for level in GIVEN
    )
    *_, last, added = FPN(levels=GIVEN, channels=12, coarser=1)(maps)
    assert torch.equal(added, last[..., ::2, ::2])
