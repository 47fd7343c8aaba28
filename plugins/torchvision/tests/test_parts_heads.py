"""Heads give the boxes and losses that torchvision's own detectors give on the same maps with the
same weights."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from detzoo_torchvision.parts.anchors import StridedAnchors
from detzoo_torchvision.parts.dense import FCOS, SSD, RetinaNet
from detzoo_torchvision.parts.two_stage import FasterRCNN
from torch import Tensor, nn
from torchvision.models import detection
from torchvision.models.detection.anchor_utils import AnchorGenerator, DefaultBoxGenerator
from torchvision.models.detection.retinanet import RetinaNetHead
from torchvision.models.detection.ssd import SSD as TorchvisionSSD
from torchvision.models.detection.transform import GeneralizedRCNNTransform

from zoo import LabelSpace
from zoo.contract import FeatureLevel, Thresholds
from zoo.detectors import Batch, InputTransform, Protocol, Target
from zoo.errors import ContractError, LabelError

SIDE = 128  # every stride divides it, so that torchvision's guess at strides is right
LEVELS = (FeatureLevel(64, 8), FeatureLevel(64, 16), FeatureLevel(64, 32), FeatureLevel(64, 64))
SPACE = LabelSpace.custom(["a", "b", "c"])
PLACE = InputTransform(SIDE, SIDE, scale_y=1.0, scale_x=1.0)
TARGETS = [
    Target(torch.tensor([[10.0, 12, 60, 50], [40, 40, 120, 110]]), torch.tensor([0, 2])),
    Target(torch.tensor([[64.0, 8, 80, 30]]), torch.tensor([1])),
    Target(torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64)),
]


class Fixed(nn.Module):
    """A backbone that returns these maps, whatever it is shown."""

    def __init__(self, maps: tuple[Tensor, ...]) -> None:
        super().__init__()
        self.maps = maps
        self.out_channels = 64

    def forward(self, _: Tensor) -> OrderedDict[str, Tensor]:
        return OrderedDict((str(index), one) for index, one in enumerate(self.maps))


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


FAMILIES: dict[str, tuple[Callable[..., Any], Callable[..., Any], int]] = {
    "retinanet": (RetinaNet, retinanet, 0),
    "fcos": (FCOS, fcos, 0),
    "ssd": (SSD, ssd, 1),
    "fasterrcnn": (FasterRCNN, fasterrcnn, 1),
}
families = pytest.mark.parametrize(
    ("make", "reference", "background"), FAMILIES.values(), ids=FAMILIES
)


def maps_of() -> tuple[Tensor, ...]:
    generator = torch.Generator().manual_seed(1)
    return tuple(
        torch.randn(
            len(TARGETS), one.channels, SIDE // one.stride, SIDE // one.stride, generator=generator
        )
        for one in LEVELS
    )


def batch_of() -> Batch:
    return Batch(torch.rand(len(TARGETS), 3, SIDE, SIDE), (PLACE,) * len(TARGETS))


def loud(head: nn.Module) -> nn.Module:
    """Random weights that say something of noise."""
    torch.manual_seed(2)
    for name, one in head.named_parameters():
        if one.ndim > 1:
            nn.init.normal_(
                one,
                std=0.4 / one[0].numel() ** 0.5 if "bbox" in name else 1.5 / one[0].numel() ** 0.5,
            )
        elif "cls_logits" in name or "cls_score" in name:
            nn.init.zeros_(one)
    return head


def pair(make: Callable[..., Any], reference: Callable[..., Any]) -> tuple[Any, Any]:
    ours = loud(make(levels=LEVELS, label_space=SPACE))
    theirs = reference(ours, Fixed(maps_of()))
    theirs.transform = GeneralizedRCNNTransform(SIDE, SIDE, [0.0] * 3, [1.0] * 3)
    return ours, theirs


@families
def test_its_boxes_are_torchvisions(
    make: Callable[..., Any], reference: Callable[..., Any], background: int
) -> None:
    ours, theirs = pair(make, reference)
    batch = batch_of()
    with torch.inference_mode():
        found = ours.eval().decode(ours(maps_of(), batch), batch, ours.defaults)
        expected = theirs.eval()(list(batch.pixels))
    assert all(len(one) > 3 for one in found)
    for one, other in zip(found, expected, strict=True):
        assert torch.allclose(one.boxes, other["boxes"], atol=1e-4)
        assert torch.equal(one.scores, other["scores"])
        assert torch.equal(one.labels, other["labels"] - background)


@families
def test_its_losses_are_torchvisions(
    make: Callable[..., Any], reference: Callable[..., Any], background: int
) -> None:
    ours, theirs = pair(make, reference)
    batch = batch_of()
    torch.manual_seed(3)
    found = ours.train().loss(ours(maps_of(), batch, TARGETS), batch, TARGETS)
    torch.manual_seed(3)
    theirs.train().transform.eval()  # or it would draw a size, and so other samples
    expected = theirs(
        list(batch.pixels),
        [{"boxes": one.boxes, "labels": one.labels + background} for one in TARGETS],
    )
    assert {name: loss.item() for name, loss in found.items()} == pytest.approx(
        {n: v.item() for n, v in expected.items()}
    )


@families
def test_its_thresholds_are_torchvisions(
    make: Callable[..., Any], reference: Callable[..., Any], background: int
) -> None:
    ours, theirs = pair(make, reference)
    owner = getattr(theirs, "roi_heads", theirs)
    assert ours.defaults == Thresholds(
        score=owner.score_thresh, iou=owner.nms_thresh, max_boxes=owner.detections_per_img
    )


@families
def test_a_protocol_decides_over_its_thresholds(
    make: Callable[..., Any], reference: Callable[..., Any], background: int
) -> None:
    ours, _ = pair(make, reference)
    batch = batch_of()
    with torch.inference_mode():
        outputs = ours.eval()(maps_of(), batch)
        strict = ours.decode(outputs, batch, Protocol(score=0.6).thresholds(ours.defaults))
        few = ours.decode(outputs, batch, Protocol(max_boxes=2).thresholds(ours.defaults))
    assert all((one.scores >= 0.6).all() for one in strict)
    assert [len(one) for one in few] == [2, 2, 2]
    assert ours.defaults.max_boxes != 2


@families
def test_a_label_outside_the_space_is_refused(
    make: Callable[..., Any], reference: Callable[..., Any], background: int
) -> None:
    ours, _ = pair(make, reference)
    batch = batch_of()
    wrong = [TARGETS[0], TARGETS[1], Target(torch.tensor([[1.0, 1, 9, 9]]), torch.tensor([3]))]
    with pytest.raises(LabelError, match="the label 3"):
        ours.train().loss(ours(maps_of(), batch, wrong), batch, wrong)


@families
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_it_runs_and_learns_in_half_precision(
    make: Callable[..., Any], reference: Callable[..., Any], background: int, dtype: torch.dtype
) -> None:
    head = make(levels=LEVELS, label_space=SPACE).to(dtype)
    maps, batch = tuple(one.to(dtype) for one in maps_of()), batch_of().to(dtype=dtype)
    losses = head.train().loss(head(maps, batch, TARGETS), batch, TARGETS)
    assert all(loss.isfinite() and loss.dtype == torch.float32 for loss in losses.values())
    with torch.inference_mode():
        seen = head.eval().decode(
            head(maps, batch), batch, Protocol(score=0.0).thresholds(head.defaults)
        )
    assert all(len(one) for one in seen)


@families
def test_what_was_made_in_train_mode_can_be_decoded(
    make: Callable[..., Any], reference: Callable[..., Any], background: int
) -> None:
    ours, _ = pair(make, reference)
    batch = batch_of()
    outputs = ours.train()(maps_of(), batch)
    seen, again = (
        ours.eval().decode(one, batch, Protocol().thresholds(ours.defaults))
        for one in (outputs, ours(maps_of(), batch))
    )
    assert all(torch.equal(one.boxes, other.boxes) for one, other in zip(seen, again, strict=True))


def test_a_focal_head_starts_at_one_percent() -> None:
    for head in (
        RetinaNet(levels=LEVELS, label_space=SPACE),
        FCOS(levels=LEVELS, label_space=SPACE),
    ):
        bias = head.net.head.classification_head.cls_logits.bias
        assert torch.allclose(bias.sigmoid(), torch.tensor(0.01))


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


@pytest.mark.parametrize("make", [RetinaNet, FCOS, FasterRCNN])
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


def test_the_second_stage_learns_from_as_many_regions_of_an_image_as_are_asked_for() -> None:
    head = loud(FasterRCNN(levels=LEVELS, label_space=SPACE, hidden=32, sampled=16)).train()
    outputs = head(maps_of(), batch_of(), TARGETS)
    assert [len(regions) for regions in outputs.proposals] == [16, 16, 16]


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
