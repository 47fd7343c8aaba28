"""Anchors stand at the strides that levels declare."""

from __future__ import annotations

import torch
from detzoo_torchvision.parts.anchors import StridedAnchors
from torchvision.models import detection
from torchvision.models.detection.anchor_utils import AnchorGenerator

from plugins.torchvision.tests.parts.heads import LEVELS, SIDE, maps_of
from zoo.contract import FeatureLevel


def test_anchors_are_torchvisions_where_strides_divide_the_input() -> None:
    sizes, ratios = [[32], [64], [128], [256]], [0.5, 1.0, 2.0]
    ours = StridedAnchors(LEVELS, sizes=sizes, ratios=ratios).on(maps_of())
    theirs = AnchorGenerator(tuple(map(tuple, sizes)), (tuple(ratios),) * 4)
    (expected,) = theirs(
        detection.image_list.ImageList(torch.zeros(1, 3, SIDE, SIDE), [(SIDE, SIDE)]),
        list(maps_of()),
    )
    assert torch.equal(ours, expected)


def test_anchors_keep_their_stride_where_a_map_is_rounded_up() -> None:
    (level,) = (FeatureLevel(8, 64),)
    anchors = StridedAnchors([level], sizes=[[64]], ratios=[1.0]).on(
        [torch.zeros(1, 8, 3, 3)]
    )  # of 160 x 160 pixels
    centers = (anchors[:, :2] + anchors[:, 2:]) / 2
    assert centers[:3].tolist() == [[0, 0], [64, 0], [128, 0]]


def test_every_image_of_a_batch_has_the_same_anchors() -> None:
    anchors = StridedAnchors(LEVELS, sizes=[[32], [64], [128], [256]], ratios=[1.0])
    images = detection.image_list.ImageList(torch.zeros(2, 3, SIDE, SIDE), [(SIDE, SIDE), (9, 70)])
    first, second = anchors(images, list(maps_of()))
    assert torch.equal(first, second)
    assert torch.equal(first, anchors.on(maps_of()))


def test_anchors_of_short_floats_are_float32() -> None:
    anchors = StridedAnchors(LEVELS, sizes=[[32], [64], [128], [256]], ratios=[1.0])
    short = anchors.on([level.bfloat16() for level in maps_of()])
    assert short.dtype == torch.float32
    assert torch.equal(short, anchors.on(maps_of()))
