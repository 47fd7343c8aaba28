"""The facts in registry.yaml, held against those who published them: a wrong number, hash or name
fails here."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models import detection, get_model_weights, list_models

from zoo import catalogue
from zoo.labels import get
from zoo.registry import Card
from zoo.registry.card import UrlSource, Weights

REGISTRY = yaml.safe_load((Path(__file__).parent.parent / "registry.yaml").read_text())
TORCHVISION = [
    (name, member.name)
    for name in list_models(module=detection)
    for member in get_model_weights(name)
]
METRICS = {"box_map": "AP", "mask_map": "mask AP", "kp_map": "keypoint AP"}
# The lines with overwrite_eps in torchvision's builders: weights from before its frozen norms had
# an eps (pytorch/vision#2933).
EPS_ZERO = {
    ("fasterrcnn_resnet50_fpn", "COCO_V1"),
    ("maskrcnn_resnet50_fpn", "COCO_V1"),
    ("keypointrcnn_resnet50_fpn", "COCO_V1"),
    ("retinanet_resnet50_fpn", "COCO_V1"),
}

# README of Megvii-BaseDetection/YOLOX at commit 6ddff48: side of the input, AP, millions of
# parameters, GFLOPs, file.
YOLOX = {
    "yolox_nano": (416, 25.8, 0.91, 1.08, "yolox_nano.pth"),
    "yolox_tiny": (416, 32.8, 5.06, 6.45, "yolox_tiny.pth"),
    "yolox_s": (640, 40.5, 9.0, 26.8, "yolox_s.pth"),
    "yolox_m": (640, 46.9, 25.3, 73.8, "yolox_m.pth"),
    "yolox_l": (640, 49.7, 54.2, 155.6, "yolox_l.pth"),
    "yolox_x": (640, 51.1, 99.1, 281.9, "yolox_x.pth"),
    "yolox_darknet53": (640, 47.7, 63.7, 185.3, "yolox_darknet.pth"),
}
YOLOX_FILES = "https://github.com/Megvii-BaseDetection/YOLOX/releases/download/0.1.1rc0"


def card_of(name: str) -> Card:
    return catalogue().resolve(name).entry.card


def weights_of(name: str, member: str) -> tuple[Weights, Any]:
    return card_of(name).weights[member.lower()], get_model_weights(name)[member]


def test_every_published_detection_weight_of_torchvision_is_there_and_no_other() -> None:
    ours = {
        (name, tag)
        for name, card in REGISTRY["cards"].items()
        if card["architecture"].startswith("torchvision/")
        for tag in card["weights"]
    }
    assert ours == {(name, member.lower()) for name, member in TORCHVISION}
    assert len(ours) == 13


@pytest.mark.parametrize(("name", "member"), TORCHVISION)
def test_a_file_and_its_hash_are_torchvisions(name: str, member: str) -> None:
    weights, published = weights_of(name, member)
    in_file_name = re.search(r"-([0-9a-f]{8})\.pth$", published.url)
    assert in_file_name
    assert weights.files["model"] == [UrlSource(url=published.url, sha256=in_file_name[1])]
    assert weights.megabytes == pytest.approx(published.meta["_file_size"] * 2**20 / 1e6, abs=0.05)


@pytest.mark.parametrize(("name", "member"), TORCHVISION)
def test_the_claims_are_torchvisions_and_say_where_they_stand(name: str, member: str) -> None:
    weights, published = weights_of(name, member)
    measured = published.meta["_metrics"]["COCO-val2017"]
    assert {(claim.metric, claim.value) for claim in weights.claims} == {
        (METRICS[key], value) for key, value in measured.items()
    }
    for claim in weights.claims:
        # AP over people alone is no AP over 80 classes, and has to stay out of their ranking
        assert claim.dataset == (
            "coco_val2017_person" if name.startswith("keypointrcnn") else "coco_val2017"
        )
        assert re.fullmatch(
            rf"torchvision [\d.]+, {type(published).__name__}\.{member} meta", claim.source
        )


@pytest.mark.parametrize(("name", "member"), TORCHVISION)
def test_eps_is_set_to_zero_for_exactly_the_weights_that_need_it(name: str, member: str) -> None:
    settings = weights_of(name, member)[0].post_load
    assert settings == ({"frozen_bn_eps": 0.0} if (name, member) in EPS_ZERO else {})


@pytest.mark.parametrize("name", list_models(module=detection))
def test_a_card_states_what_torchvision_publishes_and_builds(name: str) -> None:
    card, published = card_of(name), get_model_weights(name).DEFAULT
    with torch.device("meta"):
        built = catalogue().builder("architectures", card.architecture)(
            label_space=get(str(card.labels)), **card.arguments
        )
        trainable = getattr(detection, name)(weights=None, weights_backbone=None)
    count, everything = (sum(one.numel() for one in net.parameters()) for net in (built, trainable))
    assert card.parameters == count == published.meta["num_params"]
    assert (f"{everything:,}" in (card.parameters_note or "")) == (everything != count)
    assert card.gflops == published.meta["_ops"]
    assert card.default == published.name.lower()
    assert card.licenses.code == "BSD-3-Clause"


@pytest.mark.parametrize("name", list_models(module=detection))
def test_the_declared_input_is_the_one_the_network_prepares(name: str) -> None:
    card = card_of(name)
    with torch.device("meta"):
        transform = getattr(detection, name)(weights=None, weights_backbone=None).transform
    declared = card.input
    assert declared
    assert (declared.mean, declared.std) == (transform.image_mean, transform.image_std)
    assert (declared.interpolation, declared.antialias) == ("bilinear", False)  # as in its code
    if transform.fixed_size:
        assert (declared.resize, declared.size) == ("fixed", list(transform.fixed_size))
    else:
        assert (declared.resize, declared.size) == (
            "shortest_edge",
            [transform.min_size[-1], transform.max_size],
        )


@pytest.mark.parametrize("name", list_models(module=detection))
def test_the_label_space_has_torchvisions_categories_in_its_channels(name: str) -> None:
    label_space = get(str(card_of(name).labels))
    published = get_model_weights(name).DEFAULT.meta["categories"]
    assert [label_space.names[label] if label >= 0 else "" for label in label_space.channels] == [
        "" if category in ("__background__", "no person", "N/A") else category
        for category in published
    ]


@pytest.mark.parametrize(("name", "published"), YOLOX.items())
def test_a_yolox_card_states_what_its_readme_says(
    name: str, published: tuple[int, float, float, float, str]
) -> None:
    size, ap, millions, gflops, file = published
    card = card_of(name)
    weights = card.weights["coco"]
    assert weights.files["model"] == [UrlSource(url=f"{YOLOX_FILES}/{file}")]
    assert [(claim.dataset, claim.metric, claim.value) for claim in weights.claims] == [
        ("coco_val2017", "AP", ap)
    ]
    assert card.input
    assert (card.input.size, card.input.channels, card.arguments["size"]) == (
        [size, size],
        "bgr",
        size,
    )
    assert card.parameters == pytest.approx(millions * 1e6, abs=50_000)
    assert card.gflops == gflops


@pytest.mark.parametrize("name", ["yolox_nano", "yolox_s", "yolox_darknet53"])
def test_the_gflops_of_a_yolox_are_of_the_input_on_its_card_and_count_multiplications_and_additions(
    name: str,
) -> None:
    card = card_of(name)
    assert card.input
    assert "multiplications and additions" in (card.gflops_note or "")
    with torch.device("meta"), torch.no_grad(), FlopCounterMode(display=False) as counter:
        built = (
            catalogue()
            .builder("architectures", card.architecture)(
                label_space=get("coco80"), **card.arguments
            )
            .eval()
        )
        built.head(built.neck(built.backbone(torch.zeros(1, 3, *card.input.size))))
    assert card.gflops == pytest.approx(
        counter.get_total_flops() / 1e9, rel=0.04
    )  # upstream counts norms and activations too


@pytest.mark.parametrize("name", YOLOX)
def test_a_yolox_network_has_as_many_parameters_as_its_card_says(name: str) -> None:
    card = card_of(name)
    with torch.device("meta"):
        built = catalogue().builder("architectures", card.architecture)(
            label_space=get("coco80"), **card.arguments
        )
    assert sum(parameter.numel() for parameter in built.parameters()) == card.parameters


def test_every_yolox_is_there_and_no_other() -> None:
    assert {
        name
        for name, card in REGISTRY["cards"].items()
        if card["architecture"].startswith("yolox/")
    } == set(YOLOX)


@pytest.mark.parametrize(("alias", "target"), REGISTRY["aliases"].items())
def test_an_alias_stands_for_a_card(alias: str, target: str) -> None:
    assert target in REGISTRY["cards"]
    assert card_of(alias) == card_of(target)


def test_every_name_is_known_to_come_from_its_plugin() -> None:
    names = {name: card["architecture"] for name, card in REGISTRY["cards"].items()}
    names |= {alias: names[target] for alias, target in REGISTRY["aliases"].items()}
    for name, architecture in names.items():
        patterns = REGISTRY["known_plugins"][architecture.split("/")[0]]["names"]
        assert any(fnmatchcase(name, pattern) for pattern in patterns), name
