"""Which layers train: torchvision's own choice for every count, or all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from detzoo_torchvision import architectures
from torch import nn

from zoo.labels import get

STAGES = {
    "fasterrcnn_resnet50_fpn": 5,
    "retinanet_resnet50_fpn_v2": 5,
    "fasterrcnn_mobilenet_v3_large_fpn": 6,
    "ssd300_vgg16": 5,
}


def trainable(net: nn.Module) -> set[str]:
    return {name for name, parameter in net.named_parameters() if parameter.requires_grad}


def built(name: str, **options: Any) -> Any:
    with torch.device("meta"):
        return getattr(architectures, name)(label_space=get("coco91"), **options).net


@pytest.mark.parametrize(("name", "stages"), STAGES.items())
def test_every_count_freezes_what_torchvision_freezes(
    name: str, stages: int, make_theirs: Callable[..., Any]
) -> None:
    state = built(name).state_dict()
    for count in (0, 1, stages - 2):
        theirs = make_theirs(name, state, trainable_backbone_layers=count)
        assert trainable(built(name, trainable_layers=count)) == trainable(theirs), count


@pytest.mark.parametrize("name", STAGES)
def test_all_of_it_trains_unless_told_otherwise(name: str) -> None:
    assert all(parameter.requires_grad for parameter in built(name).parameters())


def test_a_count_beyond_the_stages_is_refused_with_the_range() -> None:
    with pytest.raises(ValueError, match="0 to 5"):
        built("fcos_resnet50_fpn", trainable_layers=6)
