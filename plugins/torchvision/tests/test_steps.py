"""The steps behind the network: thresholds, truths and labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from detzoo_torchvision.steps import (
    float32_maps,
    input_size,
    input_sizes,
    thresholds_of,
    with_thresholds,
)
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from plugins.torchvision.tests.toys import target
from zoo.contract import Batch, InputTransform, Thresholds
from zoo.detectors import Target
from zoo.errors import LabelError


def test_a_box_without_area_is_left_out_of_the_loss(fcos: Any, images: list[Tensor]) -> None:
    batch = fcos.preprocess(images[:1])
    outputs = fcos(batch)
    whole = target((1.0, 1.0, 9.0, 9.0))
    flat = Target(
        torch.cat([whole.boxes, torch.tensor([[4.0, 4.0, 4.0, 9.0]])]),
        torch.cat([whole.labels, torch.tensor([1])]),
    )
    assert fcos.loss(outputs, batch, [flat]) == fcos.loss(outputs, batch, [whole])


def test_targets_are_one_an_image(fcos: Any, images: list[Tensor]) -> None:
    batch = fcos.preprocess(images)
    with pytest.raises(ValueError, match="one per image, 2, got 0"):
        fcos.loss(fcos(batch), batch, [])


@pytest.mark.parametrize("label", [-1, 3])
def test_a_label_outside_the_space_is_refused(fcos: Any, images: list[Tensor], label: int) -> None:
    batch = fcos.preprocess(images[:1])
    with pytest.raises(LabelError, match=rf"the label {label}\.(.|\n)*has 3 labels, from 0"):
        fcos.loss(fcos(batch), batch, [target((1.0, 1.0, 9.0, 9.0), label=label)])


def test_other_thresholds_are_those_of_a_copy_that_shares_every_layer(fcos: Any) -> None:
    before = thresholds_of(fcos.net)
    other = Thresholds(score=0.7, iou=0.2, max_boxes=3)
    changed = with_thresholds(fcos.net, other)
    assert thresholds_of(changed) == other
    assert thresholds_of(fcos.net) == before
    assert changed.head is fcos.net.head


def test_stand_ins_of_maps_have_their_shape_in_float32_and_no_memory() -> None:
    maps = [torch.zeros(2, 64, 50, 40, dtype=torch.bfloat16), torch.zeros(2, 64, 25, 20)]
    short, whole = float32_maps(maps)
    assert whole is maps[1]
    assert (short.shape, short.dtype) == (maps[0].shape, torch.float32)
    assert short.untyped_storage().nbytes() == 4


@given(
    height=st.integers(1, 4000),
    width=st.integers(1, 4000),
    scale=st.floats(0.01, 10),
)
def test_the_size_in_the_input_is_the_scaled_size_to_the_nearest_pixel(
    height: int, width: int, scale: float
) -> None:
    transform = InputTransform(height, width, scale_y=scale, scale_x=1.0)
    batch = Batch(torch.zeros(2, 3, 1, 1), (transform, transform))
    rows, columns = input_size(transform)
    assert abs(rows - height * scale) <= 0.5
    assert columns == width
    assert input_sizes(batch) == [(rows, columns)] * 2


@pytest.mark.parametrize("channel", [0, 12])
def test_a_channel_without_a_label_is_never_detected(
    make_ours: Callable[..., Any], images: list[Tensor], channel: int
) -> None:
    detector = make_ours("ssdlite320_mobilenet_v3_large")  # of coco91, whose channel 12 is unused
    batch = detector.preprocess(images[:1])
    with torch.no_grad():
        outputs = detector(batch)
    assert detector.channels[channel] == -1
    outputs.heads["cls_logits"][..., channel] = 50.0
    (nothing,) = detector.decode(outputs, batch, detector.defaults)
    outputs.heads["cls_logits"][..., 13] = 60.0
    (benches,) = detector.decode(outputs, batch, detector.defaults)
    assert len(nothing) == 0
    assert set(benches.class_names) == {"stop sign"}
