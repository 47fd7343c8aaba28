"""RetinaNet, FCOS and SSD behind any maps give the boxes and losses of torchvision's detectors."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from detzoo_torchvision.parts.dense import FCOS, SSD, RetinaNet
from torch import nn
from torchvision.models import detection
from torchvision.models.detection.anchor_utils import AnchorGenerator, DefaultBoxGenerator
from torchvision.models.detection.retinanet import RetinaNetHead
from torchvision.models.detection.ssd import SSD as TorchvisionSSD

from plugins.torchvision.tests.parts import heads
from plugins.torchvision.tests.parts.heads import LEVELS, SIDE, SPACE, loud, maps_of
from zoo.contract import FeatureLevel
from zoo.detectors import Batch, InputTransform, Protocol
from zoo.errors import ContractError


def retinanet(ours: Any, body: nn.Module) -> Any:
    sizes = tuple(
        (4 * one.stride, int(4 * one.stride * 2 ** (1 / 3)), int(4 * one.stride * 2 ** (2 / 3)))
        for one in LEVELS
    )
    anchors = AnchorGenerator(sizes, ((0.5, 1.0, 2.0),) * 4)
    return detection.RetinaNet(body, len(SPACE), anchor_generator=anchors, head=ours.net.head)


def fcos(ours: Any, body: nn.Module) -> Any:
    anchors = AnchorGenerator(tuple((one.stride,) for one in LEVELS), ((1.0,),) * 4)
    return detection.FCOS(body, len(SPACE), anchor_generator=anchors, head=ours.net.head)


def ssd(ours: Any, body: nn.Module) -> Any:
    boxes = DefaultBoxGenerator(
        [[2.0, 3.0]] * 4, min_ratio=0.1, max_ratio=0.9, steps=[one.stride for one in LEVELS]
    )
    return TorchvisionSSD(body, boxes, (SIDE, SIDE), len(SPACE) + 1, head=ours.net.head)


def padded_batch() -> Batch:
    """Images of a sixteenth of the input's height, the rest of which is padding."""
    transform = InputTransform(8, SIDE, scale_y=1.0, scale_x=1.0)
    batch = heads.batch_of()
    return Batch(batch.pixels, (transform,) * len(batch))


FAMILIES = {
    "retinanet": heads.Family(RetinaNet, retinanet, 0),
    "fcos": heads.Family(FCOS, fcos, 0),
    "ssd": heads.Family(SSD, ssd, 1),
}
families = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)


@families
def test_its_boxes_are_torchvisions(family: heads.Family) -> None:
    heads.assert_boxes_are_torchvisions(family)


@families
def test_its_losses_are_torchvisions(family: heads.Family) -> None:
    heads.assert_losses_are_torchvisions(family)


@families
def test_its_thresholds_are_torchvisions(family: heads.Family) -> None:
    heads.assert_thresholds_are_torchvisions(family)


@families
def test_a_protocol_decides_over_its_thresholds(family: heads.Family) -> None:
    heads.assert_a_protocol_decides(family)


@families
def test_a_label_outside_the_space_is_refused(family: heads.Family) -> None:
    heads.assert_a_label_outside_is_refused(family)


@families
def test_boxes_of_the_padding_have_no_area_and_take_no_place(family: heads.Family) -> None:
    ours, batch = family.ours().eval(), padded_batch()
    some, few = (
        Protocol(score=0.0, max_boxes=most).thresholds(ours.defaults) for most in (10_000, 20)
    )
    with torch.inference_mode():
        outputs = ours(maps_of(), batch)
        pairs = zip(*(ours.decode(outputs, batch, each) for each in (some, few)), strict=True)
    for all_of_them, best in pairs:
        assert len(best) == 20
        assert best.equals(all_of_them.top(20))
        assert (all_of_them.boxes[:, 2:] > all_of_them.boxes[:, :2]).all()


@families
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_it_runs_and_learns_in_half_precision(family: heads.Family, dtype: torch.dtype) -> None:
    heads.assert_it_runs_and_learns_in(family, dtype)


@families
def test_what_was_made_in_train_mode_can_be_decoded(family: heads.Family) -> None:
    heads.assert_outputs_of_train_mode_are_decoded(family)


def test_a_focal_head_starts_at_one_percent() -> None:
    for head in (
        RetinaNet(levels=LEVELS, label_space=SPACE),
        FCOS(levels=LEVELS, label_space=SPACE),
    ):
        bias = head.net.head.classification_head.cls_logits.bias
        assert torch.allclose(bias.sigmoid(), torch.tensor(0.01))


@pytest.mark.parametrize("make", [RetinaNet, FCOS])
def test_maps_of_several_widths_are_refused_where_one_layer_sees_them_all(
    make: Callable[..., Any],
) -> None:
    with pytest.raises(ContractError, match="the same number of channels in every map"):
        make(levels=(FeatureLevel(32, 8), FeatureLevel(64, 16)), label_space=SPACE)


def test_ssd_takes_maps_of_any_widths() -> None:
    head = SSD(levels=(FeatureLevel(5, 8), FeatureLevel(7, 32)), label_space=SPACE)
    batch = Batch(torch.zeros(1, 3, 64, 64), (InputTransform(64, 64, 1.0, 1.0),))
    outputs = head((torch.zeros(1, 5, 8, 8), torch.zeros(1, 7, 2, 2)), batch)
    assert tuple(outputs.heads["cls_logits"].shape) == (1, (64 + 4) * 6, 4)


def test_fcos_wants_whole_groups_of_channels() -> None:
    with pytest.raises(ContractError, match="a multiple of 64 channels"):
        FCOS(levels=(FeatureLevel(48, 8),), label_space=SPACE)


def test_group_norms_are_where_torchvisions_second_version_has_them() -> None:
    ours = loud(RetinaNet(levels=LEVELS, label_space=SPACE, groups=32))
    theirs = RetinaNetHead(64, 9, len(SPACE), norm_layer=partial(nn.GroupNorm, 32))
    theirs.load_state_dict(ours.net.head.state_dict())
    found = ours.net.head(list(maps_of()))
    for name, expected in theirs(list(maps_of())).items():
        assert torch.equal(found[name], expected)
    plain = RetinaNet(levels=LEVELS, label_space=SPACE)
    assert not any(isinstance(module, nn.GroupNorm) for module in plain.modules())


def test_groups_that_do_not_divide_the_channels_are_refused() -> None:
    with pytest.raises(ContractError, match="multiple of 48"):
        RetinaNet(levels=LEVELS, label_space=SPACE, groups=48)
