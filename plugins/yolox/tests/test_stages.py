"""A backbone has the stages that its strides need, and refuses strides that none has."""

import pytest
import torch
from detzoo_yolox.backbone import CSPDarknet
from detzoo_yolox.stages import Stages
from torch import nn

from zoo.contract.feature_level import FeatureLevel
from zoo.errors import ContractError


def test_stages_behind_the_coarsest_wanted_map_are_not_built() -> None:
    assert [name for name, _ in CSPDarknet(strides=(8, 4), width=0.125).named_children()] == [
        "stem",
        "dark2",
        "dark3",
    ]


def test_a_stride_no_stage_has_is_refused_with_those_there_are() -> None:
    with pytest.raises(ContractError, match=r"It has none at 64\.\nChoose from 2, 4, 8, 16, 32\."):
        CSPDarknet(strides=(32, 64), width=0.125)


def test_a_stage_between_two_wanted_ones_runs_and_is_not_returned() -> None:
    stages = {f"stage{index}": (nn.MaxPool2d(2), FeatureLevel(3, 2**index)) for index in (1, 2, 3)}
    backbone = Stages(stages, strides=(8, 2))
    pixels = torch.arange(3 * 8 * 16).reshape(1, 3, 8, 16).float()
    fine, coarse = backbone(pixels)
    assert backbone.levels == (FeatureLevel(3, 2), FeatureLevel(3, 8))
    assert torch.equal(fine, nn.functional.max_pool2d(pixels, 2))
    assert torch.equal(coarse, nn.functional.max_pool2d(pixels, 8))
