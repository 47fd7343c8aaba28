"""A run that begins with another model's backbone."""

from typing import Any

import pytest
import torch

import zoo
from zoo.data import Dataset
from zoo.errors import UsageError
from zoo.train.backbone import take_backbone
from zoo.train.train import train


def composed(**arguments: object) -> Any:
    return zoo.compose(
        backbone="yolox/cspdarknet",
        neck="fpn",
        head="retinanet",
        labels=["dark", "bright"],
        backbone_arguments=arguments,
        neck_arguments={"channels": 32},
        input={"resize": "letterbox", "size": [64, 64]},
    )


def test_the_backbone_is_that_of_the_other_model_and_nothing_else_is() -> None:
    detector = composed(depth=0.33, width=0.125)
    before = {key: value.clone() for key, value in detector.state_dict().items()}
    source = zoo.load("yolox_pico").state_dict()
    taken = take_backbone(detector, "yolox_pico")
    changed = 0
    for key, tensor in detector.state_dict().items():
        inside = key.startswith("backbone.")
        assert torch.equal(tensor, source[key] if inside else before[key])
        changed += inside
    assert taken == changed > 0


def test_another_backbone_is_refused_and_its_tensors_named() -> None:
    detector = composed(depth=0.33, width=0.25)
    before = {key: value.clone() for key, value in detector.state_dict().items()}
    with pytest.raises(UsageError, match=r"yolox_pico has another backbone.*backbone\.") as caught:
        take_backbone(detector, "yolox_pico")
    assert "same backbone" in str(caught.value)
    assert all(torch.equal(value, before[key]) for key, value in detector.state_dict().items())


def test_a_model_without_a_part_of_that_name_is_refused() -> None:
    detector = zoo.load("ssdlite320_mobilenet_v3_large", weights=False)
    detector.backbone = torch.nn.Identity()
    with pytest.raises(UsageError, match="the model has none"):
        take_backbone(detector, "yolox_pico")


def test_a_run_trains_from_the_backbone_that_its_recipe_names(
    blocks: Dataset, tmp_path: Any
) -> None:
    fields = {"steps": 1, "batch_size": 2, "size": [64, 64], "augment": [], "ema": None}
    fields |= {"model": "yolox_pico", "weights": "random", "backbone": "yolox_pico"}
    fields |= {"freeze": ["backbone"], "validate_every": 1}
    options: dict[str, Any] = {"progress": False, "device": "cpu"}
    result = train(data=blocks, validation=blocks, recipe=fields, to=tmp_path / "run", **options)
    source, trained = zoo.load("yolox_pico").state_dict(), zoo.load(result.path).state_dict()
    kept = [key for key in source if key.startswith("backbone.")]
    assert all(torch.equal(trained[key], source[key]) for key in kept)
    assert any(
        not torch.equal(trained[key], source[key])
        for key in source.keys() - set(kept)
        if trained[key].shape == source[key].shape
    )
