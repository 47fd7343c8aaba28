"""A network that is built for one size of image says so, and can be built for another."""

import pytest
import torch
from detzoo_timm.backbone import TimmBackbone, build

from zoo.errors import ContractError

SWIN = "swin_tiny_patch4_window7_224"


def on_meta(name: str, **arguments: object) -> TimmBackbone:
    with torch.device("meta"):
        return build(name, **arguments)  # type: ignore[arg-type]


def test_a_network_that_takes_any_size_says_nothing() -> None:
    assert on_meta("resnet18").size is None


def test_a_network_of_one_size_says_which() -> None:
    assert on_meta(SWIN).size == (224, 224)


def test_it_can_be_built_for_another_size() -> None:
    backbone = on_meta(SWIN, size=[320, 448])
    assert backbone.size == (320, 448)
    assert [one.shape[2:] for one in backbone(torch.empty(1, 3, 320, 448, device="meta"))] == [
        (40, 56),
        (20, 28),
        (10, 14),
    ]


def test_a_size_for_a_network_that_takes_any_is_refused() -> None:
    with pytest.raises(ContractError, match="It takes images of any size"):
        build("resnet18", size=(224, 224))


def test_a_size_that_timm_can_not_build_is_refused_with_the_reason() -> None:
    with pytest.raises(
        ContractError,
        match=r"timm does not build it for \[320, 448\]: Model only handles square inputs",
    ):
        on_meta("nest_tiny_jx", strides=(8,), size=[320, 448])
