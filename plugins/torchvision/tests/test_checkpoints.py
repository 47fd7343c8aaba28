"""Names of tensors in published checkpoints, old and new."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch
from detzoo_torchvision import architectures
from torch import Tensor
from torchvision.models import detection

from zoo.labels import LabelSpace

SPACE = LabelSpace.custom(["cat", "dog"])
# How older checkpoints write names: a pattern in the present ones, and what to put there.
RPN = (r"(rpn\.head\.conv)\.0\.0\.", r"\1.")
MASKS = (r"(mask_head)\.(\d)\.0\.", lambda new: f"{new[1]}.mask_fcn{int(new[2]) + 1}.")
TOWERS = (r"(_head\.conv)\.(\d)\.0\.", lambda new: f"{new[1]}.{int(new[2]) * 2}.")
OLD = {
    "fasterrcnn_resnet50_fpn": (RPN,),
    "maskrcnn_resnet50_fpn": (RPN, MASKS),
    "retinanet_resnet50_fpn": (TOWERS,),
}


def made(name: str) -> tuple[Any, dict[str, Tensor]]:
    """A detector on the meta device, and a checkpoint for it under torchvision's present names."""
    with torch.device("meta"):
        detector = getattr(architectures, name)(label_space=SPACE)
    own = detector.state_dict()
    return detector, {
        key.removeprefix("net."): torch.empty(like.shape, dtype=like.dtype)
        for key, like in own.items()
    }


@pytest.mark.parametrize("name", ["fasterrcnn_resnet50_fpn", "fcos_resnet50_fpn", "ssd300_vgg16"])
def test_torchvisions_names_become_ours(name: str) -> None:
    detector, state = made(name)
    ours = detector.from_checkpoint(state)
    assert set(ours) == set(detector.state_dict())
    assert all(ours[f"net.{key}"] is tensor for key, tensor in state.items())


def test_a_checkpoint_that_we_saved_is_taken_as_it_is() -> None:
    detector, state = made("fcos_resnet50_fpn")
    saved = {f"net.{key}": tensor for key, tensor in state.items()}
    assert detector.from_checkpoint(saved) == saved


@pytest.mark.parametrize("name", OLD)
def test_names_of_older_checkpoints_are_understood_as_torchvision_understands_them(
    name: str,
) -> None:
    detector, state = made(name)
    old = dict(state)
    for pattern, replacement in OLD[name]:
        old = {re.sub(pattern, replacement, key): tensor for key, tensor in old.items()}
    assert set(old) != set(state)
    with torch.device("meta"):
        theirs = getattr(detection, name)(weights_backbone=None, num_classes=3)
    if (
        "rcnn" in name
    ):  # torchvision's builder for published weights freezes the norms; here only the names count
        old = {key: tensor for key, tensor in old.items() if not key.startswith("backbone.body")}
    theirs.load_state_dict(old, strict=False, assign=True)
    ours = detector.from_checkpoint(old)
    loaded = {
        key: tensor
        for key, tensor in theirs.state_dict().items()
        if not tensor.is_meta and not key.endswith("tracked")
    }
    assert len(loaded) >= len(old)
    assert all(
        loaded[key.removeprefix("net.")].data_ptr() == tensor.data_ptr()
        for key, tensor in ours.items()
    )


def test_counters_that_frozen_norms_have_no_place_for_are_left_out() -> None:
    detector, state = made("fasterrcnn_resnet50_fpn")
    more = {**state, "backbone.body.bn1.num_batches_tracked": torch.tensor(5)}
    assert set(detector.from_checkpoint(more)) == set(detector.state_dict())


def test_counters_of_trainable_norms_are_kept() -> None:
    detector, state = made("ssdlite320_mobilenet_v3_large")
    counters = [
        key for key in detector.from_checkpoint(state) if key.endswith("num_batches_tracked")
    ]
    assert len(counters) > 50


def test_a_stranger_keeps_its_name_so_that_it_can_be_reported() -> None:
    detector, state = made("fcos_resnet50_fpn")
    assert "ema.decay" in detector.from_checkpoint({**state, "ema.decay": torch.zeros(())})
