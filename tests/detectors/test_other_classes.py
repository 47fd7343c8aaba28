"""`load(labels=…)`: every family gets a head for other classes, and keeps what it knows of the old
ones."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import save_file
from torch import Tensor
from torch.testing import assert_close
from torchvision.ops import FrozenBatchNorm2d

import zoo
from zoo import Detector, registry
from zoo.detectors import Target

CLASSES = ["ant", "bee", "cat", "dog"]
SMALL, MOBILE = {"min_size": 64, "max_size": 160}, {"min_size": 128, "max_size": 256}
PARTS = {"backbone": "timm/test_resnet", "neck": "fpn", "neck_arguments": {"channels": 64}}
FAMILIES: dict[str, tuple[str, dict[str, object]]] = {
    "fasterrcnn": ("torchvision/fasterrcnn_resnet50_fpn", SMALL),
    "fasterrcnn_v2": ("torchvision/fasterrcnn_resnet50_fpn_v2", SMALL),
    "fasterrcnn_mobilenet": ("torchvision/fasterrcnn_mobilenet_v3_large_fpn", MOBILE),
    "fasterrcnn_mobilenet_320": ("torchvision/fasterrcnn_mobilenet_v3_large_320_fpn", MOBILE),
    "maskrcnn": ("torchvision/maskrcnn_resnet50_fpn", SMALL),
    "maskrcnn_v2": ("torchvision/maskrcnn_resnet50_fpn_v2", SMALL),
    "keypointrcnn": ("torchvision/keypointrcnn_resnet50_fpn", SMALL),
    "retinanet": ("torchvision/retinanet_resnet50_fpn", SMALL),
    "retinanet_v2": ("torchvision/retinanet_resnet50_fpn_v2", SMALL),
    "fcos": ("torchvision/fcos_resnet50_fpn", SMALL),
    "ssd": ("torchvision/ssd300_vgg16", {}),
    "ssdlite": ("torchvision/ssdlite320_mobilenet_v3_large", {}),
    "yolox": ("yolox/yolox", {"depth": 0.33, "width": 0.125, "size": 64}),
    "composed_retinanet": ("compose", {**PARTS, "head": "retinanet"}),
    "composed_fcos": ("compose", {**PARTS, "head": "fcos"}),
    "composed_ssd": ("compose", {**PARTS, "head": "ssd"}),
    "composed_yolox": ("compose", {**PARTS, "head": "yolox", "head_arguments": {"channels": 32}}),
    "composed_fasterrcnn": (
        "compose",
        {**PARTS, "head": "fasterrcnn", "head_arguments": {"hidden": 64}},
    ),
}
# Large networks whose class layers are those of another one in the list.
TWINS = (
    "fasterrcnn",
    "fasterrcnn_v2",
    "fasterrcnn_mobilenet",
    "maskrcnn_v2",
    "keypointrcnn",
    "retinanet_v2",
    "ssd",
)
FEWER = ["dog", "elk", "bee"]


@dataclass(frozen=True)
class Published:
    """A family with weights for CLASSES: the detector as it was saved, the file that names it
    `old`, and one for FEWER."""

    detector: Detector
    cards: Path
    fewer: list[Detector] = field(default_factory=list)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=[pytest.mark.slow] if name in TWINS else []) for name in FAMILIES
    ],
)
def published(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Published]:
    architecture, arguments = FAMILIES[request.param]
    folder = tmp_path_factory.mktemp("published")
    card = {"architecture": architecture, "arguments": arguments, "labels": CLASSES}
    if architecture == "compose":
        card["input"] = {"resize": "letterbox", "size": [64, 64]}
    sources = {"files": {"model": [{"kind": "file", "path": "old.safetensors"}]}}
    cards = folder / "cards.yaml"
    cards.write_text(
        yaml.safe_dump({"schema": 2, "cards": {"old": {**card, "weights": {"v1": sources}}}})
    )
    registry.add(cards)
    torch.manual_seed(len(request.param))
    detector = _quick(zoo.load("old", weights=False))
    _excite(detector)
    save_file(detector.state_dict(), folder / "old.safetensors")
    yield Published(detector, cards)
    (folder / "old.safetensors").unlink()


@pytest.fixture
def old(published: Published) -> Detector:
    """Made for CLASSES."""
    registry.add(published.cards)
    return published.detector


@pytest.fixture
def new(published: Published, old: Detector) -> Detector:
    """The same for FEWER; loaded in the first test that asks, which has a home of its own."""
    if not published.fewer:
        published.fewer.append(load(FEWER))
    return published.fewer[0]


def load(labels: list[str], **options: Any) -> Detector:
    return _quick(zoo.load("old", labels=labels, **options))


def _quick(detector: Any) -> Any:
    """Few proposals: what is made of each is most of the time."""
    net = getattr(detector, "net", None) or getattr(getattr(detector, "head", None), "net", None)
    if hasattr(net, "rpn"):
        net.rpn._post_nms_top_n = {"training": 20, "testing": 20}
    return detector


@torch.no_grad()
def _excite(detector: Detector) -> None:
    """A network that tells places and classes apart, as a fresh one does not, and is not so sure
    that all scores are 1."""
    norms = [
        one
        for one in detector.modules()
        if isinstance(one, torch.nn.BatchNorm2d | FrozenBatchNorm2d)
    ]
    hooks = [norm.register_forward_pre_hook(_settle) for norm in norms]
    logits(detector)
    for layer in detector.class_layers() or ():
        module: Any = detector.get_submodule(layer.name)
        module.weight.normal_(std=10.0)
        module.bias.normal_()
        hooks.append(
            module.register_forward_pre_hook(
                partial(_scale_to, spread=1.5 if layer.inner == 1 else 0.2)
            )
        )
    logits(detector)
    for hook in hooks:
        hook.remove()


def _settle(norm: Any, inputs: tuple[Tensor]) -> None:
    """Places differ by about 1 in every channel; maps of a few cells, where they can't, keep what
    the channels differ by."""
    (maps,) = inputs
    if maps.shape[-2:].numel() > 4:
        norm.running_mean.copy_(maps.mean((0, 2, 3)))
        norm.running_var.copy_(maps.var((0, 2, 3)).clamp(min=1e-3))
    else:
        norm.running_var.fill_(maps.var().clamp(min=1e-3))


def _scale_to(layer: Any, inputs: tuple[Tensor], spread: float) -> None:
    layer.weight.mul_(min(spread / layer.forward(inputs[0]).std(), 1.0))


def image() -> Tensor:
    """Blotches of colour, so that no two places look the same."""
    coarse = torch.rand((1, 3, 5, 7), generator=torch.Generator().manual_seed(5))
    return torch.nn.functional.interpolate(coarse, (64, 96), mode="bilinear")[0].mul(255).byte()


@torch.no_grad()
def logits(detector: Detector) -> Tensor:
    """(n, channels): what the network says of each class, wherever it looks, before softmax."""
    outputs = detector(detector.preprocess([image()]))
    if hasattr(outputs, "values"):
        return outputs.values[0, :, 5:]
    return outputs.heads["cls_logits"][0] if hasattr(outputs, "heads") else outputs.logits


def channel(detector: Detector, name: str) -> int:
    layers = detector.class_layers()
    assert layers
    return layers[0].channels.index(detector.label_space.label(name))


def test_what_depends_on_the_number_of_classes_is_declared(old: Detector) -> None:
    with torch.device("meta"):
        more = load([*CLASSES, "elk"], weights=False).state_dict()
    differing = {
        name for name, tensor in old.state_dict().items() if tensor.shape != more[name].shape
    }
    declared = {
        f"{layer.name}.{name}" for layer in old.class_layers() or () for name in ("weight", "bias")
    }
    assert declared == differing


def test_all_but_the_class_layers_is_from_the_weights(old: Detector, new: Detector) -> None:
    assert new.head_transfer
    before, after = old.state_dict(), new.state_dict()
    by_class = {one.tensor for one in new.head_transfer.tensors}
    assert before.keys() == after.keys()
    assert [
        name
        for name in before
        if name not in by_class and not torch.equal(before[name], after[name])
    ] == []
    assert new.head_transfer.kept == len(before) - len(by_class)


def test_rows_of_classes_with_the_same_name_are_carried_over_bit_by_bit(
    old: Detector, new: Detector
) -> None:
    before, after = old.state_dict(), new.state_dict()
    for theirs, ours in zip(old.class_layers() or (), new.class_layers() or (), strict=True):
        pairs = [(channel(old, name), channel(new, name)) for name in ("dog", "bee")]
        pairs += [(0, 0)] if ours.background == 0 else []
        for tensor, block, (source, target), row in product(
            ("weight", "bias"), range(ours.outer), pairs, range(ours.inner)
        ):
            from_row = (block * len(theirs.channels) + source) * ours.inner + row
            to_row = (block * len(ours.channels) + target) * ours.inner + row
            name = f"{ours.name}.{tensor}"
            assert torch.equal(after[name][to_row], before[name][from_row])


def test_the_report_counts_what_is_new(old: Detector, new: Detector) -> None:
    transfer = new.head_transfer
    assert transfer
    assert transfer.carried == {"dog": "dog", "bee": "bee"}
    assert transfer.new_classes == ("elk",)
    rows = {
        f"{layer.name}.{name}": layer.outer * layer.inner
        for layer in old.class_layers() or ()
        for name in ("weight", "bias")
    }
    assert {one.tensor: one.new for one in transfer.new_tensors} == rows
    assert all(name in str(transfer) for name in rows)
    assert str(transfer).startswith(
        "A head for 3 classes (dog, elk, bee) on weights for 4 classes ("
    )


def test_a_carried_class_is_seen_as_before(old: Detector, new: Detector) -> None:
    before, after = logits(old), logits(new)
    for name in ("dog", "bee"):
        assert_close(
            after[:, channel(new, name)], before[:, channel(old, name)], atol=1e-4, rtol=1e-4
        )


def test_another_order_of_the_classes_changes_only_their_labels(old: Detector) -> None:
    order = CLASSES.copy()
    Random(str(type(old))).shuffle(order)
    order = order if order != CLASSES else CLASSES[::-1]
    new = load(order)
    assert new.head_transfer
    assert new.head_transfer.new_tensors == ()
    before, after = (one.detect(image(), score=0.0, max_boxes=20) for one in (old, new))
    assert len(before)
    assert after.names == tuple(order)
    assert after.class_names == before.class_names
    assert_close(after.boxes, before.boxes, atol=1e-2, rtol=1e-4)
    assert_close(after.scores, before.scores, atol=1e-5, rtol=1e-4)


def test_new_classes_start_as_the_family_starts_them(old: Detector) -> None:
    labels = [f"class {number}" for number in range(40)]
    begun = load(labels, weights=False)
    assert begun.head_transfer is None
    new = load(labels)
    for layer, tensor in product(begun.class_layers() or (), ("weight", "bias")):
        classes = slice(1, None) if layer.background == 0 else slice(None)
        parameters = (one.get_parameter(f"{layer.name}.{tensor}").detach() for one in (new, begun))
        ours, theirs = (one.reshape(*layer.shape, -1)[:, classes] for one in parameters)
        if theirs.std() < 1e-6:  # a constant
            assert_close(ours, theirs)
        else:
            tolerance = (
                4 / theirs.numel() ** 0.5
            )  # of a spread that is estimated from so many values
            assert_close(ours.std(), theirs.std(), rtol=tolerance, atol=0.0)
            assert_close(
                ours.mean(), theirs.mean(), rtol=0.0, atol=2 * tolerance * theirs.std().item()
            )
            assert_close(ours.abs().max(), theirs.abs().max(), rtol=0.4, atol=0.0)


def test_it_trains_with_its_new_head(new: Detector) -> None:
    new = deepcopy(new).train()
    batch = new.preprocess([image(), image()])
    truth = [Target(torch.tensor([[10.0, 8, 60, 50]]), torch.tensor([label])) for label in (1, 2)]
    loss = torch.stack(list(new.loss(new(batch, truth), batch, truth).values())).sum()
    loss.backward()
    assert loss.isfinite()
    names = [
        f"{layer.name}.weight" for layer in new.class_layers() or () if "mask" not in layer.name
    ]
    slopes = [new.get_parameter(name).grad for name in names]
    assert all(one.isfinite().all() for one in slopes)
    assert any(one.any() for one in slopes)


def test_saved_it_loads_with_the_same_labels(new: Detector, tmp_path: Path) -> None:
    save_file(new.state_dict(), tmp_path / "mine.safetensors")
    again = load(FEWER, weights=f"file:{tmp_path / 'mine.safetensors'}")
    assert again.head_transfer is None
    assert (new.name, again.name) == ("old.v1[dog,elk,bee]", "old[dog,elk,bee]")
    before, after = new.state_dict(), again.state_dict()
    assert [name for name in before if not torch.equal(before[name], after[name])] == []
    assert_close(logits(again), logits(new), atol=1e-4, rtol=1e-4)
