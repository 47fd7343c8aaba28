"""Layers with rows for classes are found, and start as torchvision's constructors start them."""

from collections.abc import Callable
from copy import deepcopy
from functools import partial
from typing import Any

import pytest
import torch
from detzoo_torchvision import architectures, class_layers
from detzoo_torchvision.parts.dense import FCOS, SSD, RetinaNet
from detzoo_torchvision.parts.two_stage import FasterRCNN
from torch import Tensor, nn
from torchvision.models.detection.mask_rcnn import MaskRCNNPredictor
from torchvision.models.detection.ssdlite import SSDLiteClassificationHead

from plugins.torchvision.tests.parts.heads import LEVELS, SPACE
from zoo import LabelSpace

ONE_OF_EACH_LAYOUT = (
    "retinanet_resnet50_fpn",
    "fcos_resnet50_fpn",
    "ssd300_vgg16",
    "ssdlite320_mobilenet_v3_large",
    "fasterrcnn_mobilenet_v3_large_320_fpn",
    "maskrcnn_resnet50_fpn",
)
MORE = LabelSpace.custom([*SPACE.names, "d", "e"])


def built(name: str, label_space: LabelSpace) -> Any:
    with torch.device("meta"):
        return getattr(architectures, name)(label_space=label_space)


@pytest.mark.parametrize("name", ONE_OF_EACH_LAYOUT)
def test_the_named_layers_are_those_that_grow_with_the_classes(name: str) -> None:
    few, more = built(name, SPACE), built(name, MORE)
    shapes = {key: tensor.shape for key, tensor in more.state_dict().items()}
    grown = {key for key, tensor in few.state_dict().items() if tensor.shape != shapes[key]}
    layers = more.class_layers()
    assert grown == {f"{layer.name}.{part}" for layer in layers for part in ("weight", "bias")}
    for layer in layers:
        assert layer.outer * len(layer.channels) * layer.inner == shapes[f"{layer.name}.weight"][0]
        assert layer.background == 0
        assert layer.channels == (-1, 0, 1, 2, 3, 4)


def test_without_a_background_channel_none_is_named() -> None:
    (layer,) = RetinaNet(levels=LEVELS, label_space=SPACE).class_layers()
    assert layer.background is None
    assert layer.channels == (0, 1, 2)


def of_head(make: Callable[..., Any]) -> Any:
    return make(levels=LEVELS, label_space=MORE).net


def of_ssdlite() -> Any:
    norm = partial(nn.BatchNorm2d, eps=1e-3)
    scores = SSDLiteClassificationHead([64, 64], [6, 6], len(MORE) + 1, norm)
    return nn.ModuleDict({"head": nn.ModuleDict({"classification_head": scores})})


def of_mask_rcnn() -> Any:
    net = of_head(FasterRCNN)
    roi = net.roi_heads
    roi.mask_roi_pool, roi.mask_head = roi.box_roi_pool, nn.Identity()
    roi.mask_predictor = MaskRCNNPredictor(64, 64, len(MORE) + 1)
    return net


STARTS: dict[str, tuple[Callable[..., Any], Callable[[], Any]]] = {
    "retinanet": (class_layers.focal, partial(of_head, RetinaNet)),
    "fcos": (class_layers.focal, partial(of_head, FCOS)),
    "ssd": (class_layers.default_boxes, partial(of_head, SSD)),
    "ssdlite": (class_layers.default_boxes, of_ssdlite),
    "maskrcnn": (class_layers.regions, of_mask_rcnn),
}


def spread(tensor: Tensor) -> Tensor:
    """Mean and deviation of the values that a constructor drew."""
    return torch.stack([tensor.mean(), tensor.std()])


@pytest.mark.parametrize("kind", STARTS)
@torch.no_grad()
def test_a_new_layer_starts_as_the_constructor_starts_it(kind: str) -> None:
    layers_of, make = STARTS[kind]
    torch.manual_seed(0)
    net = make()
    channels = (-1, *range(len(MORE))) if kind not in ("retinanet", "fcos") else range(len(MORE))
    for layer in layers_of(net, channels):
        own = net.get_submodule(layer.name)
        fresh = deepcopy(own)
        for tensor in fresh.parameters():
            tensor.fill_(7.0)
        layer.start(fresh)
        deviation = float(own.weight.std())
        assert torch.allclose(spread(fresh.weight), spread(own.weight), atol=deviation / 10)
        if own.bias.std() == 0:
            assert torch.equal(fresh.bias, own.bias)
        else:
            assert 0 < fresh.bias.abs().max() < 2 * own.bias.abs().max()
