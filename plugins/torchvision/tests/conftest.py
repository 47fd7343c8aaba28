"""Every architecture twice at toy size: as the zoo builds it, and as torchvision builds it for its
published weights.

torchvision's builder runs as it is, with the frozen norms and the eps that it sets only for those
weights; what it would download is replaced by the random weights of the zoo's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from math import sqrt
from typing import Any

import pytest
import torch
from detzoo_torchvision import ARCHITECTURES, architectures
from detzoo_torchvision.detector import TorchvisionDetector
from torch import Tensor, nn
from torchvision.models import detection, get_model_weights
from torchvision.models._api import WeightsEnum

from plugins.torchvision.tests.toys import SPACE
from zoo import LabelSpace
from zoo.detectors import Batch, Target

KINDS = (
    "fasterrcnn_mobilenet_v3_large_320_fpn",
    "retinanet_resnet50_fpn",
    "fcos_resnet50_fpn",
    "ssdlite320_mobilenet_v3_large",
)
# The published weights that torchvision's builders set eps 0 for: the lines with overwrite_eps in
# its source.
EPS_ZERO = (
    "fasterrcnn_resnet50_fpn",
    "maskrcnn_resnet50_fpn",
    "keypointrcnn_resnet50_fpn",
    "retinanet_resnet50_fpn",
)


@dataclass(frozen=True, repr=False)
class Made:
    """A batch and the outputs for it."""

    batch: Batch
    outputs: Any


@dataclass(frozen=True, repr=False)
class Pair:
    """One architecture as `ours` and as `theirs`, sharing their weights; some images and a truth of
    them, and what ours makes of both.

    evaluated: in eval mode.
    trained:   in train mode with the truth, from the random seed 3.
    """

    name: str
    ours: TorchvisionDetector
    theirs: Any
    images: list[Tensor]
    truth: list[Target]
    evaluated: Made
    trained: Made


@pytest.fixture(scope="session")
def make_ours() -> Callable[..., TorchvisionDetector]:
    """Builds an architecture at toy size, in eval mode, with random weights that find some boxes in
    noise."""
    return _ours


@pytest.fixture(scope="session")
def small() -> Callable[[str], TorchvisionDetector]:
    """The same for three classes, built once; what a test changes in it, it puts back."""
    return cache(partial(_ours, label_space=SPACE))


@pytest.fixture(scope="session", params=KINDS)
def detector(request: pytest.FixtureRequest, small: Callable[[str], Any]) -> Any:
    """One architecture of each kind, for three classes."""
    return small(request.param)


@pytest.fixture(scope="session")
def fcos(small: Callable[[str], Any]) -> Any:
    return small("fcos_resnet50_fpn")


@pytest.fixture(scope="session")
def rcnn(small: Callable[[str], Any]) -> Any:
    return small("fasterrcnn_mobilenet_v3_large_320_fpn")


@pytest.fixture(scope="session")
def make_theirs() -> Callable[..., Any]:
    """Builds the same with torchvision's builder for published weights, on the meta device, from
    the names in a state dict."""
    return _theirs


@pytest.fixture(scope="session")
def images() -> list[Tensor]:
    """Two small images of different shapes: uint8 (3, h, w)."""
    return _images()


@pytest.fixture(scope="module", params=ARCHITECTURES)
def pair(request: pytest.FixtureRequest) -> Pair:
    """Each architecture in turn."""
    name = request.param
    images = _images()[
        : 1 if name == "ssd300_vgg16" else 2
    ]  # one image is as much work as all the others' ten
    ours = _ours(name)
    state = {key.removeprefix("net."): tensor for key, tensor in ours.state_dict().items()}
    theirs = _theirs(name, state, **_sizes(name))
    _few_proposals(theirs)
    theirs.load_state_dict(state, assign=True)
    evaluated = _make(ours, images)
    with _train_mode(ours, theirs):
        truth = _truth(ours.label_space)[: len(images)]
        trained = _make(ours, images, truth)
    return Pair(name, ours, theirs.eval(), images, truth, evaluated, trained)


@torch.no_grad()
def _make(
    ours: TorchvisionDetector, images: list[Tensor], truth: list[Target] | None = None
) -> Made:
    torch.manual_seed(3)
    batch = ours.preprocess(images)
    return Made(batch, ours(batch, truth))


@pytest.fixture
def train_mode(pair: Pair) -> Iterator[None]:
    """Both networks in train mode; what that changes (running statistics, which they share) is put
    back."""
    with _train_mode(pair.ours, pair.theirs):
        yield


@contextmanager
def _train_mode(ours: nn.Module, theirs: nn.Module) -> Iterator[None]:
    kept = {name: buffer.clone() for name, buffer in ours.named_buffers()}
    ours.train()
    theirs.train()
    theirs.transform.eval()  # or it would draw a size, and so other samples
    yield
    ours.eval()
    theirs.eval()
    for name, buffer in ours.named_buffers():
        buffer.copy_(kept[name])


def _images() -> list[Tensor]:
    generator = torch.Generator().manual_seed(7)
    return [
        torch.randint(0, 256, (3, *size), dtype=torch.uint8, generator=generator)
        for size in ((70, 100), (90, 64))
    ]


def _truth(label_space: LabelSpace) -> list[Target]:
    """Two objects in the first image, of the first and the last class, and one in the second."""
    return [
        Target(
            torch.tensor([[5.0, 8.0, 60.0, 50.0], [30.0, 20.0, 95.0, 66.0]]),
            torch.tensor([0, len(label_space) - 1]),
        ),
        Target(torch.tensor([[2.0, 3.0, 40.0, 80.0]]), torch.tensor([0])),
    ]


def _sizes(name: str) -> dict[str, int]:
    """Small inputs, where the architecture lets one choose; a MobileNet has no map finer than 32
    pixels."""
    if name.startswith("ssd"):
        return {}
    return (
        {"min_size": 128, "max_size": 256}
        if "mobilenet" in name
        else {"min_size": 64, "max_size": 160}
    )


def _space(name: str) -> LabelSpace:
    """The label space of the published weights, from torchvision's own list of categories."""
    categories = get_model_weights(name).DEFAULT.meta["categories"]
    names = [
        category
        for category in categories
        if category not in ("__background__", "no person", "N/A")
    ]
    channels = [names.index(category) if category in names else -1 for category in categories]
    return LabelSpace("published", tuple(names), channels=tuple(channels))


def _ours(name: str, label_space: LabelSpace | None = None, **options: Any) -> TorchvisionDetector:
    with torch.device("meta"):
        detector: TorchvisionDetector = getattr(architectures, name)(
            label_space=label_space or _space(name), **_sizes(name), **options
        )
    _few_proposals(detector.net)
    if name in EPS_ZERO and not options:
        detector.post_load({"frozen_bn_eps": 0.0})
    generator = torch.Generator().manual_seed(len(name))
    detector.load_state_dict(
        {key: _random(key, like, generator) for key, like in detector.state_dict().items()},
        assign=True,
    )
    _tame(detector.eval())
    return detector


def _theirs(name: str, state: Mapping[str, Tensor], **options: Any) -> Any:
    empty = {key: tensor.to("meta") for key, tensor in state.items()}
    with pytest.MonkeyPatch.context() as patch, torch.device("meta"):
        patch.setattr(WeightsEnum, "get_state_dict", lambda *_, **__: empty)
        return getattr(detection, name)(weights=get_model_weights(name).DEFAULT, **options)


def _few_proposals(net: Any) -> None:
    """The second stage is most of a toy's time, and theirs spends more on the mask or the keypoints
    of every box."""
    if hasattr(net, "rpn"):
        count = 8 if net.roi_heads.has_mask() or net.roi_heads.has_keypoint() else 20
        net.rpn._post_nms_top_n = {"training": count, "testing": count}


def _random(name: str, like: Tensor, generator: torch.Generator) -> Tensor:
    """He initialisation for layers, and norms that let a little of each residual branch through."""
    if like.dim() > 1:
        return (torch.rand(like.shape, generator=generator) - 0.5) * sqrt(24 / like[0].numel())
    if name.endswith("scale_weight"):  # SSD's, on a normalised map
        return torch.full(like.shape, 20.0)
    value = {"weight": 0.7, "running_var": 1.0}.get(name.rsplit(".", 1)[-1], 0.0)
    return torch.full(like.shape, value, dtype=like.dtype)


def _tame(ours: TorchvisionDetector) -> None:
    """Scales each last layer, so that its first output has a spread at which some boxes pass the
    thresholds."""
    hooks = [
        layer.register_forward_pre_hook(_scale_once(spread))
        for layer, spread in _last_layers(ours.net)
    ]
    with torch.no_grad():
        ours(ours.preprocess(_images()[:1]))
    for hook in hooks:
        hook.remove()


def _scale_once(spread: float) -> Callable[[nn.Module, tuple[Tensor]], None]:
    done = set()

    def hook(layer: Any, inputs: tuple[Tensor]) -> None:
        if layer not in done:
            done.add(layer)
            layer.weight.mul_(spread / layer.forward(inputs[0]).std())

    return hook


def _last_layers(net: Any) -> list[tuple[nn.Module, float]]:
    """Classifiers and box regressors, and the spread of each."""
    if hasattr(net, "rpn"):
        box, rpn = net.roi_heads.box_predictor, net.rpn.head
        spread = 2.5 if box.cls_score.out_features > 2 else 1.5
        return [
            (rpn.cls_logits, 2.0),
            (rpn.bbox_pred, 0.2),
            (box.cls_score, spread),
            (box.bbox_pred, 0.3),
        ]
    scores, boxes = net.head.classification_head, net.head.regression_head
    if hasattr(scores, "cls_logits"):
        return [(scores.cls_logits, 0.8), (boxes.bbox_reg, 0.3)]
    ends = [
        [getattr(block, "1", block) for block in head.module_list] for head in (scores, boxes)
    ]  # SSDlite's are pairs
    return [
        (end, spread) for layers, spread in zip(ends, (2.0, 0.3), strict=True) for end in layers
    ]
