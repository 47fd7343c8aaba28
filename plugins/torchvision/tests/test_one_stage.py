"""Whole one-stage detectors: heads see the maps of their backbones, with targets or without."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torchvision.models.detection.image_list import ImageList

from plugins.torchvision.tests.toys import target

KINDS = ("retinanet_resnet50_fpn", "fcos_resnet50_fpn", "ssdlite320_mobilenet_v3_large")


@pytest.mark.parametrize("name", KINDS)
@torch.no_grad()
def test_its_outputs_are_its_networks_parts_run_by_hand(
    name: str, small: Callable[[str], Any], images: list[Tensor]
) -> None:
    detector = small(name)
    batch = detector.preprocess(images)
    maps = list(detector.net.backbone(batch.pixels).values())
    expected = detector.net.head(maps)
    sizes = [tuple(batch.pixels.shape[-2:])] * len(images)
    anchors = detector.net.anchor_generator(ImageList(batch.pixels, sizes), maps)
    outputs = detector(batch)
    assert outputs.heads.keys() == expected.keys()
    assert all(torch.equal(outputs.heads[key], expected[key]) for key in expected)
    assert torch.equal(outputs.anchors, anchors[0])
    assert list(outputs.cells) == [level.shape[-2] * level.shape[-1] for level in maps]


@pytest.mark.parametrize("name", KINDS)
@torch.no_grad()
def test_targets_change_none_of_its_outputs(
    name: str, small: Callable[[str], Any], images: list[Tensor]
) -> None:
    detector = small(name)
    batch = detector.preprocess(images[:1])
    alone, taught = detector(batch), detector(batch, [target((5.0, 5.0, 60.0, 60.0))])
    assert all(torch.equal(alone.heads[key], taught.heads[key]) for key in alone.heads)
    assert torch.equal(alone.anchors, taught.anchors)
