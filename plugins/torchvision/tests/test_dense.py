"""Outputs and losses of networks that look once: a row for each anchor."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from detzoo_torchvision.parts.dense import FCOS, SSD, RetinaNet
from torch.utils import _pytree as pytree

from plugins.torchvision.tests.parts.heads import LEVELS, SPACE, TARGETS, batch_of, maps_of

KINDS = {
    "retinanet": (RetinaNet, 9, {"classification", "bbox_regression"}),
    "fcos": (FCOS, 1, {"classification", "bbox_regression", "bbox_ctrness"}),
    "ssd": (SSD, 6, {"classification", "bbox_regression"}),
}
kinds = pytest.mark.parametrize(("make", "per_cell", "losses"), KINDS.values(), ids=KINDS)


@kinds
def test_outputs_have_a_row_for_each_anchor(
    make: Callable[..., Any], per_cell: int, losses: set[str]
) -> None:
    head = make(levels=LEVELS, label_space=SPACE)
    outputs = head(maps_of(), batch_of())
    anchors = per_cell * sum(outputs.cells)
    assert list(outputs.cells) == [level.shape[-2] * level.shape[-1] for level in maps_of()]
    assert tuple(outputs.anchors.shape) == (anchors, 4)
    assert tuple(outputs.heads["bbox_regression"].shape) == (3, anchors, 4)
    assert tuple(outputs.heads["cls_logits"].shape) == (3, anchors, len(head.channels))


@kinds
def test_each_loss_of_the_paper_has_its_name(
    make: Callable[..., Any], per_cell: int, losses: set[str]
) -> None:
    head = make(levels=LEVELS, label_space=SPACE).train()
    found = head.loss(head(maps_of(), batch_of(), TARGETS), batch_of(), TARGETS)
    assert set(found) == losses


@kinds
def test_images_without_objects_teach_no_box(
    make: Callable[..., Any], per_cell: int, losses: set[str]
) -> None:
    head = make(levels=LEVELS, label_space=SPACE).train()
    found = head.loss(head(maps_of(), batch_of()), batch_of(), [TARGETS[2]] * 3)
    assert all(loss.isfinite() for loss in found.values())
    assert found["bbox_regression"] == 0


@kinds
def test_a_call_in_short_floats_leaves_the_anchor_generator_as_it_was(
    make: Callable[..., Any], per_cell: int, losses: set[str]
) -> None:
    head = make(levels=LEVELS, label_space=SPACE)
    before = head(maps_of(), batch_of()).anchors
    state = dict(vars(head.net.anchor_generator))
    short = head.bfloat16()(
        tuple(level.bfloat16() for level in maps_of()), batch_of().to(dtype=torch.bfloat16)
    )
    assert short.anchors.dtype == torch.float32
    assert torch.equal(short.anchors, before)
    assert all(vars(head.net.anchor_generator)[name] is state[name] for name in state)


@kinds
def test_outputs_are_a_tree_of_tensors(
    make: Callable[..., Any], per_cell: int, losses: set[str]
) -> None:
    outputs = make(levels=LEVELS, label_space=SPACE)(maps_of(), batch_of())
    leaves, tree = pytree.tree_flatten(outputs)
    again = pytree.tree_unflatten(leaves, tree)
    assert again.cells == outputs.cells
    assert again.heads.keys() == outputs.heads.keys()
