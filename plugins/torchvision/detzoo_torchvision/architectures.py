"""The twelve builders, under torchvision's names, in the configuration that the published weights
were trained in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypedDict, Unpack

from torch import nn
from torchvision.models import detection

from detzoo_torchvision.channels import with_background
from detzoo_torchvision.norms import freeze_norms
from detzoo_torchvision.one_stage import FCOS, SSD, RetinaNet
from detzoo_torchvision.stages import (
    Stages,
    mobilenet_stages,
    resnet_stages,
    train_last,
    vgg_stages,
)
from detzoo_torchvision.two_stage import TwoStage
from zoo import LabelSpace

Norm = Literal["frozen", "batch"]
RESNET_STRIDES = (4, 8, 16, 32)
MOBILENET_STRIDES = (32, 32)  # the last convolution keeps the resolution of the stage before it


class Options(TypedDict, total=False):
    """Differences from the published configuration, for every builder but the two of fixed
    size.

    norm:             the backbone's: `frozen`, or `batch`, which is trainable and keeps running
                      statistics.
    trainable_layers: the stages of the backbone that train, counted from its end as torchvision
        does; None is all of them.
    min_size:         the short side an image is resized to.
    max_size:         what its long side may not pass.
    """

    norm: Norm
    trainable_layers: int | None
    min_size: int
    max_size: int


class RegionOptions(Options, total=False):
    """The same for two stages.

    proposals: regions of an image that the second stage looks at, at most.
    """

    proposals: int


def fasterrcnn_resnet50_fpn(
    *, label_space: LabelSpace, **options: Unpack[RegionOptions]
) -> TwoStage:
    """Faster R-CNN (arXiv:1506.01497) on a feature pyramid of ResNet-50."""
    return _rcnn(detection.fasterrcnn_resnet50_fpn, label_space, published="frozen", **options)


def fasterrcnn_resnet50_fpn_v2(
    *, label_space: LabelSpace, **options: Unpack[RegionOptions]
) -> TwoStage:
    """The same with batch norm throughout and deeper heads, trained longer (arXiv:2111.11429)."""
    return _rcnn(detection.fasterrcnn_resnet50_fpn_v2, label_space, published="batch", **options)


def fasterrcnn_mobilenet_v3_large_fpn(
    *, label_space: LabelSpace, **options: Unpack[RegionOptions]
) -> TwoStage:
    """Faster R-CNN on MobileNetV3-Large (arXiv:1905.02244)."""
    return _mobile_rcnn(detection.fasterrcnn_mobilenet_v3_large_fpn, label_space, **options)


def fasterrcnn_mobilenet_v3_large_320_fpn(
    *, label_space: LabelSpace, **options: Unpack[RegionOptions]
) -> TwoStage:
    """The same for images of 320 pixels and fewer proposals."""
    return _mobile_rcnn(detection.fasterrcnn_mobilenet_v3_large_320_fpn, label_space, **options)


def maskrcnn_resnet50_fpn(*, label_space: LabelSpace, **options: Unpack[RegionOptions]) -> TwoStage:
    """Mask R-CNN (arXiv:1703.06870); its boxes only."""
    return _rcnn(detection.maskrcnn_resnet50_fpn, label_space, published="frozen", **options)


def maskrcnn_resnet50_fpn_v2(
    *, label_space: LabelSpace, **options: Unpack[RegionOptions]
) -> TwoStage:
    """The same with batch norm throughout and deeper heads, trained longer (arXiv:2111.11429)."""
    return _rcnn(detection.maskrcnn_resnet50_fpn_v2, label_space, published="batch", **options)


def keypointrcnn_resnet50_fpn(
    *, label_space: LabelSpace, **options: Unpack[RegionOptions]
) -> TwoStage:
    """Mask R-CNN with keypoints in the place of masks; its boxes only."""
    return _rcnn(detection.keypointrcnn_resnet50_fpn, label_space, published="frozen", **options)


def retinanet_resnet50_fpn(*, label_space: LabelSpace, **options: Unpack[Options]) -> RetinaNet:
    """RetinaNet (arXiv:1708.02002) on a feature pyramid of ResNet-50."""
    label_space = with_background(label_space)
    return RetinaNet(
        _network(detection.retinanet_resnet50_fpn, label_space, published="frozen", **options),
        label_space=label_space,
    )


def retinanet_resnet50_fpn_v2(*, label_space: LabelSpace, **options: Unpack[Options]) -> RetinaNet:
    """The same with group norm in the heads and GIoU as its loss of boxes, after ATSS
    (arXiv:1912.02424)."""
    label_space = with_background(label_space)
    return RetinaNet(
        _network(detection.retinanet_resnet50_fpn_v2, label_space, published="batch", **options),
        label_space=label_space,
    )


def fcos_resnet50_fpn(*, label_space: LabelSpace, **options: Unpack[Options]) -> FCOS:
    """FCOS (arXiv:1904.01355) on a feature pyramid of ResNet-50."""
    label_space = with_background(label_space)
    return FCOS(
        _network(detection.fcos_resnet50_fpn, label_space, published="frozen", **options),
        label_space=label_space,
    )


def ssd300_vgg16(*, label_space: LabelSpace, trainable_layers: int | None = None) -> SSD:
    """SSD (arXiv:1512.02325) on VGG-16 at 300 x 300."""
    label_space = with_background(label_space)
    net = _make(detection.ssd300_vgg16, label_space)
    train_last(vgg_stages(net.backbone), trainable_layers)
    return SSD(net, label_space=label_space)


def ssdlite320_mobilenet_v3_large(*, label_space: LabelSpace) -> SSD:
    """SSD of depthwise layers on MobileNetV3-Large (arXiv:1905.02244) at 320 x 320; all of it
    trains."""
    label_space = with_background(label_space)
    return SSD(_make(detection.ssdlite320_mobilenet_v3_large, label_space), label_space=label_space)


def _rcnn(
    make: Callable[..., Any],
    label_space: LabelSpace,
    *,
    published: Norm,
    **options: Unpack[RegionOptions],
) -> TwoStage:
    label_space = with_background(label_space)
    return TwoStage(
        _network(make, label_space, published=published, **options),
        label_space=label_space,
        strides=RESNET_STRIDES,
    )


def _mobile_rcnn(
    make: Callable[..., Any], label_space: LabelSpace, **options: Unpack[RegionOptions]
) -> TwoStage:
    label_space = with_background(label_space)
    net = _network(make, label_space, published="frozen", stages=mobilenet_stages, **options)
    return TwoStage(net, label_space=label_space, strides=MOBILENET_STRIDES)


def _network(  # noqa: PLR0913 - the published configuration, and all that may differ from it
    make: Callable[..., Any],
    label_space: LabelSpace,
    *,
    published: Norm,
    stages: Callable[[nn.Module], Stages] = resnet_stages,
    norm: Norm | None = None,
    trainable_layers: int | None = None,
    min_size: int | None = None,
    max_size: int | None = None,
    proposals: int | None = None,
) -> Any:
    """torchvision's network on a pyramid; a number that is not given is torchvision's."""
    sizes = {"min_size": min_size, "max_size": max_size}
    counts = {"rpn_post_nms_top_n_train": proposals, "rpn_post_nms_top_n_test": proposals}
    numbers = {name: number for name, number in (sizes | counts).items() if number is not None}
    net = _make(
        make,
        label_space,
        **numbers,
    )
    if (norm or published) == "frozen":
        freeze_norms(net.backbone.body)
    train_last(stages(net.backbone.body), trainable_layers)
    return net


def _make(make: Callable[..., Any], label_space: LabelSpace, **numbers: int) -> Any:
    """torchvision's own builder, kept from fetching weights."""
    return make(
        weights=None, weights_backbone=None, num_classes=len(label_space.channels), **numbers
    )
