"""Whole R-CNNs: their strides are given, and what is not run is not trained."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from detzoo_torchvision import architectures
from torch import Tensor

from plugins.torchvision.tests.toys import SPACE, detections_of


def test_a_very_flat_first_image_does_not_spoil_those_after_it(
    rcnn: Any, images: list[Tensor]
) -> None:
    with torch.device("meta"):
        fresh, other = (
            architectures.fasterrcnn_mobilenet_v3_large_320_fpn(label_space=SPACE).eval()
            for _ in range(2)
        )
    for one in (fresh, other):
        one.load_state_dict(rcnn.state_dict(), assign=True)
    detections_of(other, [torch.full((3, 2, 600), 90, dtype=torch.uint8)])
    after, alone = detections_of(other, images), detections_of(fresh, images)
    assert all(torch.equal(one.scores, two.scores) for one, two in zip(after, alone, strict=True))
    assert len(alone[0])


@pytest.mark.parametrize(
    ("name", "branches"),
    [
        ("fasterrcnn_resnet50_fpn", set()),
        ("maskrcnn_resnet50_fpn", {"mask_head", "mask_predictor"}),
        ("keypointrcnn_resnet50_fpn", {"keypoint_head", "keypoint_predictor"}),
    ],
)
def test_branches_that_are_not_run_are_frozen_and_nothing_else_is(
    name: str, branches: set[str]
) -> None:
    with torch.device("meta"):
        detector = getattr(architectures, name)(label_space=SPACE, norm="batch")
    frozen = {
        parameter.removeprefix("net.roi_heads.").split(".")[0]
        for parameter, tensor in detector.named_parameters()
        if not tensor.requires_grad
    }
    assert frozen == branches


@pytest.mark.parametrize(
    ("name", "strides"),
    [
        ("fasterrcnn_resnet50_fpn", [4, 8, 16, 32]),
        ("fasterrcnn_mobilenet_v3_large_fpn", [32, 32]),
    ],
)
def test_regions_are_cut_at_the_strides_of_the_maps(name: str, strides: list[int]) -> None:
    with torch.device("meta"):
        detector = getattr(architectures, name)(label_space=SPACE)
        batch = detector.preprocess([torch.zeros(3, 64, 96, dtype=torch.uint8)], device="meta")
        maps = detector.net.backbone(batch.pixels)
    pool = detector.net.roi_heads.box_roi_pool
    assert pool.scales == [1 / stride for stride in strides]
    cut = [maps[name] for name in pool.featmap_names if name in maps]
    assert [batch.pixels.shape[-1] // level.shape[-1] for level in cut] == strides
