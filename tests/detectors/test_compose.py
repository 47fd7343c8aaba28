"""Composing: what is built, the same as a card, and what becomes of parts that do not fit."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

import zoo
from tests.detectors.composing import helmets, refused
from zoo import registry
from zoo.detectors import Composed
from zoo.errors import UsageError
from zoo.registry.card import Input

CARD = """
schema: 2
cards:
  helmets:
    architecture: compose
    labels: [helmet, vest]
    input: {resize: letterbox, size: [64, 96]}
    arguments:
      backbone: torchvision/mobilenet_v3_small
      neck: bifpn
      head: retinanet
      strides: [8, 16, 32]
      neck_arguments: {channels: 32, layers: 1}
"""


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of the same detector as a card in a user's registry file."""
    file = tmp_path / "mine.yaml"
    file.write_text(CARD)
    monkeypatch.setenv("ZOO_REGISTRY", os.fspath(file))
    registry.reload()
    yield "helmets"
    registry.reload()


def shapes(detector: torch.nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in detector.state_dict().items()}


def test_a_card_is_the_same_as_the_call(card: str) -> None:
    loaded, called = zoo.load(card, weights=False), helmets()
    assert isinstance(loaded, Composed)
    assert shapes(loaded) == shapes(called)
    assert (loaded.plan, loaded.preprocess, loaded.label_space, loaded.defaults) == (
        called.plan,
        called.preprocess,
        called.label_space,
        called.defaults,
    )
    assert not loaded.training
    assert not called.training


def test_a_card_has_a_row_like_any_other(card: str) -> None:
    (row,) = [row for name, row in zoo.catalogue().rows() if name == card]
    assert (row.architecture, row.labels, row.classes, row.size) == (
        "zoo/compose",
        "custom",
        2,
        (64, 96),
    )


def test_weights_of_a_composed_model_load_like_any_others(card: str, tmp_path: Path) -> None:
    trained = helmets()
    save_file(trained.state_dict(), tmp_path / "trained.safetensors")
    loaded = zoo.load(card, weights=f"file:{tmp_path / 'trained.safetensors'}")
    image = torch.randint(0, 256, (3, 40, 50), dtype=torch.uint8)
    theirs, ours = loaded.detect(image, score=0.0), trained.detect(image, score=0.0)
    assert torch.equal(theirs.boxes, ours.boxes)
    assert torch.equal(theirs.scores, ours.scores)


def test_a_published_yolox_is_a_composition() -> None:
    small = {"depth": 0.33, "width": 0.25, "depthwise": True}
    published = zoo.catalogue().builder("architectures", "yolox/yolox")(
        label_space=zoo.LabelSpace.custom(["a", "b"]), size=64, **small
    )
    composed = zoo.compose(
        backbone="yolox/cspdarknet",
        neck="pafpn",
        head="yolox",
        labels=["a", "b"],
        input={
            "resize": "letterbox",
            "size": [64, 64],
            "range": 255,
            "channels": "bgr",
            "padding": 114,
        },
        backbone_arguments=small,
        neck_arguments={"depth": 0.33, "depthwise": True},
        head_arguments={"channels": 64, "depthwise": True},
    )
    composed.load_state_dict(published.state_dict(), strict=True)
    batch = composed.preprocess([torch.randint(0, 256, (3, 64, 64), dtype=torch.uint8)])
    with torch.inference_mode():
        assert torch.equal(composed(batch).values, published.eval()(batch).values)


def test_without_being_told_the_input_is_a_normalised_letterbox_of_640() -> None:
    detector = zoo.compose(
        backbone="torchvision/resnet18", neck="fpn", head="retinanet", labels=["a"]
    )
    assert (detector.preprocess.input.resize, detector.preprocess.input.size) == (
        "letterbox",
        [640, 640],
    )
    assert detector.input_size(100, 700) == (640, 640)


def test_labels_may_be_a_declared_space() -> None:
    detector = zoo.compose(backbone="torchvision/resnet18", head="ssd", labels="coco91")
    assert len(detector.label_space) == 80


def test_a_short_name_resolves_where_only_one_plugin_has_it() -> None:
    assert (
        zoo.compose(backbone="cspdarknet", neck="pafpn", head="yolox", labels=["a"]).plan.backbone
        == "cspdarknet"
    )


def test_a_head_that_does_not_fit_is_drawn_with_its_seam_and_the_nearest_change() -> None:
    why = refused(backbone="torchvision/resnet18", neck="pafpn", head="retinanet")
    assert str(why) == dedent("""\
        torchvision/resnet18, pafpn, retinanet can't be composed: the parts do not fit.
                  stride                   8    16    32
        backbone  torchvision/resnet18   128   256   512
        neck      pafpn                  128   256   512
               ✗  retinanet: it needs the same number of channels in every map, and these have 128, 256 and 512.
        head      retinanet
        The nearest change that fits: neck_arguments={"channels": 256}""")


def test_a_neck_that_does_not_fit_is_the_seam() -> None:
    why = refused(backbone="torchvision/resnet18", neck="bifpn", head="fcos", strides=(4, 16, 32))
    lines = why.case.splitlines()
    assert [line.split()[0] for line in lines] == ["stride", "backbone", "✗", "neck", "head"]
    assert (
        "bifpn: it needs strides that double from map to map, and these are 4, 16 and 32."
        in lines[2]
    )
    assert why.fix == "The nearest change that fits: strides=(16, 32)"


@pytest.mark.parametrize(
    "parts", [{"backbone": None}, {"backbone": "torchvision/resnet18", "neck": 3}]
)
def test_a_part_is_a_name(parts: dict[str, Any]) -> None:
    why = refused(**{"head": "ssd", **parts})
    assert isinstance(why, UsageError)
    assert why.case == "It is not the name of a part."


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"backbone_arguments": {"width": 0.01}}, "The smallest with a channel is width=0.015625"),
        ({"head_arguments": {"smallest": 0.9, "largest": 0.2}}, "Exchange them: smallest=0.2"),
    ],
)
def test_values_that_give_no_network_are_refused(parts: dict[str, Any], said: str) -> None:
    why = refused(**{"backbone": "yolox/cspdarknet", "head": "ssd", **parts})
    assert isinstance(why, UsageError)
    assert said in why.fix


@pytest.mark.parametrize("strides", [(), (8, 8), (32, 16), (0, 8), (8.0,), (True, 2), "8"])
def test_strides_are_whole_numbers_finest_first(strides: tuple[int, ...]) -> None:
    why = refused(backbone="torchvision/resnet18", head="ssd", strides=strides)
    assert why.case == "Strides are whole numbers of pixels, finest first, each named once."


@pytest.mark.parametrize(
    "rule",
    [
        {"resize": "squash", "size": [8, 8]},
        {"resize": "fixed"},
        {"resize": "fixed", "size": [8]},
        640,
        "letterbox",
        {"resize": "fixed", "size": [8, 8], "std": [1, 0, 1]},
        Input(resize="shortest_edge", size=[9, 8]),
    ],
)
def test_a_wrong_input_policy_shows_a_right_one_with_its_mean(rule: Any) -> None:
    right = r'input=\{"resize": "letterbox", "size": \[640, 640\], "mean": \[0.485, .*, 0.225\]\}'
    with pytest.raises(UsageError, match=right):
        zoo.compose(backbone="torchvision/resnet18", head="ssd", labels=["a"], input=rule)


def test_the_advised_input_keeps_the_mean_of_the_one_that_does_not_fit() -> None:
    rule = {"resize": "shortest_edge", "size": [224, 448], "mean": [0.5] * 3, "std": [0.2] * 3}
    with torch.device("meta"):
        why = refused(**SWIN, input=rule)
    assert '"mean": [0.5, 0.5, 0.5], "std": [0.2, 0.2, 0.2]}' in why.fix


def test_an_input_policy_may_be_the_cards_struct() -> None:
    rule = Input(resize="shortest_edge", size=[48, 80])
    detector = zoo.compose(backbone="torchvision/resnet18", head="ssd", labels=["a"], input=rule)
    assert detector.input_size(100, 100) == (64, 64)
    assert detector.input_size(100, 400) == (32, 96)


SWIN = {"backbone": "timm/swin_tiny_patch4_window7_224", "neck": "bifpn", "head": "retinanet"}


def test_a_backbone_of_one_size_gets_an_input_of_that_size() -> None:
    with torch.device("meta"):
        detector = zoo.compose(labels=["a"], **SWIN)
    assert detector.input_size(100, 700) == (224, 224)


def test_an_input_the_backbone_does_not_take_is_the_first_seam() -> None:
    with torch.device("meta"):
        why = refused(**SWIN, input={"resize": "letterbox", "size": [300, 448]})
    assert str(why) == dedent("""\
        timm/swin_tiny_patch4_window7_224, bifpn, retinanet can't be composed: the parts do not fit.
                  stride                                8    16    32    64   128
        input     300 x 448 letterbox
               ✗  timm/swin_tiny_patch4_window7_224: it takes images of 224 x 224 only.
        backbone  timm/swin_tiny_patch4_window7_224   192   384   768     ·     ·
        neck      bifpn                                64    64    64    64    64
        head      retinanet
        The nearest change that fits: backbone_arguments={"size": [320, 448]}""")


def test_a_backbone_of_one_size_takes_no_input_that_goes_by_the_image() -> None:
    with torch.device("meta"):
        why = refused(**SWIN, input={"resize": "shortest_edge", "size": [224, 448]})
    assert (
        why.fix == 'The nearest change that fits: input={"resize": "letterbox", "size": [224, 224]}'
    )


def test_a_backbone_that_is_built_for_the_input_takes_it() -> None:
    rule = {"resize": "letterbox", "size": [300, 448]}
    with torch.device("meta"):
        detector = zoo.compose(
            labels=["a"], **SWIN, input=rule, backbone_arguments={"size": [320, 448]}
        )
    assert detector.input_size(100, 700) == (320, 448)
