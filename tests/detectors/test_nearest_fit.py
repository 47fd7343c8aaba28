"""The nearest composition that fits is named, and can be built."""

from __future__ import annotations

import pytest

import zoo
from tests.detectors.composing import refused


def test_a_missing_neck_is_named() -> None:
    why = refused(backbone="torchvision/resnet18", head="fcos")
    assert "fcos: it needs the same number of channels in every map" in why.case
    assert why.fix == 'The nearest change that fits: neck="bifpn" or neck="fpn"'


def test_other_channels_of_the_neck_are_nearer_than_another_neck() -> None:
    why = refused(
        backbone="torchvision/resnet18", neck="fpn", head="fcos", neck_arguments={"channels": 48}
    )
    assert why.fix == 'The nearest change that fits: neck_arguments={"channels": 64}'


@pytest.mark.parametrize(
    ("backbone", "strides", "fix"),
    [
        ("torchvision/resnet18", (8, 16, 32, 64), "strides=(8, 16, 32)"),
        ("yolox/cspdarknet", (1, 2), "strides=(2,)"),
        ("timm/test_vit", (8, 16, 32), "strides=(16,)"),
    ],
)
def test_a_backbone_without_a_map_at_a_stride_is_the_first_seam(
    backbone: str, strides: tuple[int, ...], fix: str
) -> None:
    why = refused(backbone=backbone, neck="fpn", head="retinanet", strides=strides)
    assert why.case.splitlines()[0].lstrip().startswith(f"✗  {backbone}: ")
    assert why.fix == f"The nearest change that fits: {fix}"


def test_every_suggested_change_can_be_built() -> None:
    parts: dict[str, object] = {"backbone": "torchvision/mobilenet_v3_small", "head": "fasterrcnn"}
    fix = refused(**parts).fix
    for change in fix.removeprefix("The nearest change that fits: ").split(" or "):
        name, _, value = change.partition("=")
        zoo.compose(labels=["a"], **{**parts, name: value.strip('"')})  # type: ignore[arg-type]
