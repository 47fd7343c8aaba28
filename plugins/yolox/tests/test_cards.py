"""The cards of the catalogue are true of the networks they build."""

import pytest
import torch
from detzoo_yolox.detector import build

import zoo
from zoo import labels
from zoo.registry.card import Card, UrlSource

NAMES = [f"yolox_{size}" for size in ("nano", "tiny", "s", "m", "l", "x", "darknet53")]


def card(name: str) -> Card:
    return zoo.catalogue().resolve(f"yolox/{name}").entry.card


@pytest.mark.parametrize("name", NAMES)
def test_the_card_counts_the_parameters_of_the_network_its_arguments_build(name: str) -> None:
    one = card(name)
    with torch.device("meta"):
        model = build(label_space=labels.get("coco80"), **one.arguments)
    assert one.architecture == "yolox/yolox"
    assert one.parameters == sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize("name", NAMES)
def test_the_cards_input_is_what_preprocess_makes(name: str) -> None:
    one = card(name)
    assert one.input is not None
    height, width = one.input.size
    with torch.device("meta"):
        model = build(label_space=labels.get("coco80"), **one.arguments)
    assert model.input_size(480, 640) == (height, width)
    assert (one.input.resize, one.input.channels, one.input.range, one.input.padding) == (
        "letterbox",
        "bgr",
        255,
        114,
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_card_names_upstreams_file_and_where_in_it_the_weights_are(name: str) -> None:
    weights = card(name).weights["coco"]
    [source] = weights.files["model"]
    file = name.removesuffix("53") + ".pth"
    assert source == UrlSource(
        url=f"https://github.com/Megvii-BaseDetection/YOLOX/releases/download/0.1.1rc0/{file}"
    )
    assert weights.state_key == "model"
