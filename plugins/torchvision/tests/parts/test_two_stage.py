"""Faster R-CNN behind any maps gives the boxes and losses of torchvision's own."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from detzoo_torchvision.parts.two_stage import FasterRCNN
from torch import nn
from torchvision.models import detection
from torchvision.models.detection.anchor_utils import AnchorGenerator

from plugins.torchvision.tests.parts import heads
from plugins.torchvision.tests.parts.heads import (
    LEVELS,
    SPACE,
    TARGETS,
    batch_of,
    loud,
    maps_of,
)
from zoo.contract import FeatureLevel
from zoo.errors import ContractError


def fasterrcnn(ours: Any, body: nn.Module) -> Any:
    anchors = AnchorGenerator(tuple((8 * one.stride,) for one in LEVELS), ((0.5, 1.0, 2.0),) * 4)
    pool = detection.faster_rcnn.MultiScaleRoIAlign(list("0123"), output_size=7, sampling_ratio=2)
    net = detection.FasterRCNN(
        body,
        rpn_anchor_generator=anchors,
        rpn_head=ours.net.rpn.head,
        box_roi_pool=pool,
        box_head=ours.net.roi_heads.box_head,
        box_predictor=ours.net.roi_heads.box_predictor,
    )
    return net


FAMILY = heads.Family(FasterRCNN, fasterrcnn, 1)


def test_its_boxes_are_torchvisions() -> None:
    heads.assert_boxes_are_torchvisions(FAMILY)


def test_its_losses_are_torchvisions() -> None:
    heads.assert_losses_are_torchvisions(FAMILY)


def test_its_thresholds_are_torchvisions() -> None:
    heads.assert_thresholds_are_torchvisions(FAMILY)


def test_a_protocol_decides_over_its_thresholds() -> None:
    heads.assert_a_protocol_decides(FAMILY)


def test_a_label_outside_the_space_is_refused() -> None:
    heads.assert_a_label_outside_is_refused(FAMILY)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_it_runs_and_learns_in_half_precision(dtype: torch.dtype) -> None:
    heads.assert_it_runs_and_learns_in(FAMILY, dtype)


def test_what_was_made_in_train_mode_can_be_decoded() -> None:
    heads.assert_outputs_of_train_mode_are_decoded(FAMILY)


def test_the_second_stage_learns_from_as_many_regions_of_an_image_as_are_asked_for() -> None:
    head = loud(FasterRCNN(levels=LEVELS, label_space=SPACE, hidden=32, sampled=16)).train()
    outputs = head(maps_of(), batch_of(), TARGETS)
    assert [len(regions) for regions in outputs.proposals] == [16, 16, 16]


def test_maps_of_several_widths_are_refused() -> None:
    with pytest.raises(ContractError, match="the same number of channels in every map"):
        FasterRCNN(levels=(FeatureLevel(32, 8), FeatureLevel(64, 16)), label_space=SPACE)


def test_regions_are_cut_at_the_strides_of_its_levels() -> None:
    head = FasterRCNN(levels=LEVELS[1:], label_space=SPACE)
    assert head.net.roi_heads.box_roi_pool.scales == [1 / 16, 1 / 32, 1 / 64]


def test_anchors_have_one_side_a_level_in_strides() -> None:
    head = FasterRCNN(levels=LEVELS, label_space=SPACE, scale=4.0, ratios=(1.0,))
    assert head.net.rpn.anchor_generator.sizes == ((32,), (64,), (128,), (256,))
    assert head.net.rpn.head.cls_logits.out_channels == 1
